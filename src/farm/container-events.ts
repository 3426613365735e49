import type Docker from "dockerode";
import * as v from "valibot";
import { dialStream } from "./dial.ts";
import { engineCall, toHostError } from "./docker-call.ts";
import type { ContainerEvent } from "./host.ts";
import { jsonLines } from "./json-lines.ts";

const OPENS_WITHIN_MS = 15_000;

const EngineEvent = v.object({
  id: v.string(),
  Actor: v.object({ Attributes: v.record(v.string(), v.string()) }),
});

/** See `Host.events`. */
export async function* eventsOf(
  docker: Docker,
  name: string,
  options: { label: string; signal: AbortSignal; onOpen(): void },
): AsyncGenerator<ContainerEvent> {
  const filters = { type: ["container"], event: ["die", "destroy"], label: [options.label] };
  const stream = await engineCall(
    `${name}: open events`,
    OPENS_WITHIN_MS,
    () =>
      dialStream(docker, {
        path: "/events?",
        options: { filters: JSON.stringify(filters) },
        abortSignal: options.signal,
      }),
    options.signal,
  );
  options.onOpen();
  try {
    for await (const value of jsonLines(stream)) {
      const event = v.safeParse(EngineEvent, value);
      if (!event.success) continue;
      const { id, Actor } = event.output;
      yield { containerId: id, executionId: Actor.Attributes["fastlane.execution"] ?? null };
    }
  } catch (error) {
    throw toHostError(`${name}: events`, error);
  } finally {
    stream.destroy();
  }
}
