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

export interface StartRecord extends AsyncDisposable {
  /** How often containers of an execution were started, by the engine's own account. */
  of(executionId: string): number;
}

/**
 * Notes every start from now on: an engine keeps no more than its last 256 events.
 *
 * @param options With `since`, in UNIX seconds, those that it remembers as well.
 */
export async function recordStarts(
  docker: Docker,
  options: { since?: number } = {},
): Promise<StartRecord> {
  const starts: string[] = [];
  const stopped = new AbortController();
  const events = (await docker.getEvents({
    ...options,
    filters: { event: ["start"], label: ["fastlane.execution"] },
    abortSignal: stopped.signal,
  })) as unknown as AsyncIterable<Uint8Array>;
  const reading = (async () => {
    for await (const event of jsonLines(events)) {
      const { Actor } = event as { Actor: { Attributes: Record<string, string> } };
      starts.push(Actor.Attributes["fastlane.execution"] ?? "");
    }
  })().catch(() => {});
  return {
    of: (executionId) => starts.filter((id) => id === executionId).length,
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await reading;
    },
  };
}
