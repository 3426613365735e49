import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import { type Client, read } from "./client.ts";
import { ClientError } from "./client-error.ts";

const Enqueued = v.looseObject({
  executionId: v.nullable(v.string()),
  executionUrl: v.nullable(v.string()),
  jobId: v.string(),
  jobUrl: v.string(),
  notice: v.optional(v.string()),
});
export type Enqueued = v.InferOutput<typeof Enqueued>;

/** How long a server that is just being started again is waited for. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 250;

/**
 * Makes a job, once: also when the answer is lost or the server is away for some seconds.
 *
 * @param onAway Told once, when it does not go well at once.
 */
export async function enqueue(
  client: Client,
  taskId: string,
  payload: Readonly<Record<string, unknown>>,
  onAway: (why: ClientError) => void,
): Promise<Enqueued> {
  const path = `/tasks/${encodeURIComponent(taskId)}/`;
  // The server takes a key in one of two places; one of the payload's own does the same.
  const headers = "idempotencyKey" in payload ? {} : { "idempotency-key": crypto.randomUUID() };
  const until = performance.now() + PATIENCE_MS;
  for (let tries = 1; ; tries++) {
    try {
      return read(client, Enqueued, await client.send("POST", path, payload, headers));
    } catch (error) {
      if (!(error instanceof ClientError) || !error.isPassing) throw error;
      if (performance.now() >= until) throw error;
      if (tries === 1) onAway(error);
      await delay(PAUSE_MS);
    }
  }
}
