import type Docker from "dockerode";
import { jsonLines } from "../../src/farm/json-lines.ts";
import { eventually } from "./client.ts";
import { containersOf } from "./engine.ts";

/** Resolves when nothing of an installation is left on an engine. */
export async function untilNoContainers(docker: Docker, installation: string): Promise<void> {
  await eventually(
    async () => ((await containersOf(docker, installation)).length === 0 ? true : undefined),
    () => `containers of ${installation} are left`,
  );
}

/** How often containers of an execution were started, by the engine's own account. */
export async function startsOf(
  docker: Docker,
  executionId: string,
  sinceMs: number,
): Promise<number> {
  const events = (await docker.getEvents({
    since: Math.floor(sinceMs / 1000),
    until: Math.ceil(Date.now() / 1000),
    filters: { event: ["start"], label: [`fastlane.execution=${executionId}`] },
  })) as unknown as AsyncIterable<Uint8Array>;
  let starts = 0;
  for await (const _ of jsonLines(events)) starts += 1;
  return starts;
}
