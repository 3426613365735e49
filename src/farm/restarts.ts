import type Docker from "dockerode";
import * as v from "valibot";
import { dial, dialStream } from "./dial.ts";
import { engineCall } from "./docker-call.ts";
import { EngineRefusal } from "./host.ts";
import { jsonLines } from "./json-lines.ts";

const CALL_MS = 15_000;
/** So many events a daemon remembers, and none from before its own start (moby's `eventsLimit`). */
const EVENTS_REMEMBERED = 256;

const Info = v.object({ SystemTime: v.string() });
const Event = v.object({
  Action: v.optional(v.string()),
  Actor: v.optional(v.object({ ID: v.string() })),
});

/** See `Host.restartedSince`. */
export async function restartedSince(
  docker: Docker,
  name: string,
  act: "create" | "start",
  containerId: string,
): Promise<boolean | null> {
  try {
    return await engineCall(`${name}: look for a restart`, CALL_MS, (signal) =>
      isForgotten(docker, act, containerId, signal),
    );
  } catch (error) {
    // A proxy before the engine may refuse these questions.
    if (error instanceof EngineRefusal) return null;
    throw error;
  }
}

async function isForgotten(
  docker: Docker,
  act: "create" | "start",
  containerId: string,
  abortSignal: AbortSignal,
): Promise<boolean | null> {
  // By the engine's own clock: it would wait for a moment that has not come.
  const info = v.safeParse(Info, await dial(docker, { path: "/info", abortSignal }));
  if (!info.success) return null;
  const now = (Date.parse(info.output.SystemTime) / 1_000).toFixed(3);
  const stream = await dialStream(docker, {
    path: "/events?",
    options: { since: "0", until: now },
    abortSignal,
  });
  let remembered = 0;
  try {
    for await (const value of jsonLines(stream)) {
      remembered += 1;
      const event = v.safeParse(Event, value);
      if (!event.success) continue;
      const { Action: action, Actor: actor } = event.output;
      if (action === act && actor?.ID === containerId) return false;
    }
  } finally {
    stream.destroy();
  }
  return remembered < EVENTS_REMEMBERED ? true : null;
}
