import { createHash } from "node:crypto";
import { AppError } from "../core/errors.ts";
import type { JobPayload } from "../payload/job-payload.ts";
import type { Tx } from "../store/connect.ts";
import { claimKey, completeKey, type KeyRow } from "../store/idempotency-keys.ts";
import { type Enqueued, enqueueJobs } from "./enqueue-jobs.ts";
import type { JobPlan } from "./job-plan.ts";

export interface KeyedPlan {
  plan: JobPlan;
  payload: JobPayload;
  /** `null` for a request without one. */
  key: string | null;
}

/**
 * Makes jobs, but none whose key has made one within 24 hours: for that the first answer is given again.
 *
 * @throws {AppError} `idempotency_key_taken` when a key came with another request before;
 *   `payload_invalid` when two of the requests have one key.
 */
export async function enqueueOnce(tx: Tx, requests: readonly KeyedPlan[]): Promise<Enqueued[]> {
  const keys = requests.flatMap(({ key }) => key ?? []);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) {
    throw new AppError("payload_invalid", `Cannot enqueue: two payloads have the key "${twice}"`);
  }
  const claimed: { request: KeyedPlan; earlier: Enqueued | null }[] = [];
  for (const request of requests) claimed.push({ request, earlier: await claim(tx, request) });
  const fresh = claimed.filter(({ earlier }) => earlier === null);
  const made = await enqueueJobs(
    tx,
    fresh.map(({ request }) => request.plan),
  );
  for (const [index, { request }] of fresh.entries()) {
    const enqueued = made[index];
    if (enqueued !== undefined) await complete(tx, request, enqueued);
  }
  let next = 0;
  return claimed.flatMap(({ earlier }) => earlier ?? made[next++] ?? []);
}

/**
 * @returns What the key has made before; `null` when it is this request's to make.
 * @throws {AppError} `idempotency_key_taken`.
 */
export async function claim(tx: Tx, { plan, payload, key }: KeyedPlan): Promise<Enqueued | null> {
  if (key === null) return null;
  const { id: jobId, taskId } = plan.job;
  const requestHash = hashOf(payload);
  const earlier = await claimKey(tx, { taskId, key, requestHash, jobId });
  if (earlier === null) return null;
  if (!Buffer.from(earlier.requestHash).equals(requestHash)) {
    throw new AppError(
      "idempotency_key_taken",
      `Cannot enqueue: the idempotency key "${key}" came with another request before`,
    );
  }
  return enqueuedOf(earlier, plan.pool);
}

/** Keeps what a request has made, for its key if it has one. */
export async function complete(tx: Tx, { plan, key }: KeyedPlan, made: Enqueued): Promise<void> {
  if (key !== null) await completeKey(tx, plan.job.taskId, key, made);
}

function enqueuedOf({ jobId, executionId, messageId }: KeyRow, pool: string): Enqueued {
  return { jobId, executionId, messageId, pool };
}

/** Of what was asked for, whatever the order of its keys. */
function hashOf(payload: JobPayload): Buffer {
  const sorted = (_: string, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash("sha256").update(JSON.stringify(payload, sorted)).digest();
}
