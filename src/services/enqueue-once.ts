import { createHash } from "node:crypto";
import { AppError } from "../core/errors.ts";
import type { JobPayload } from "../payload/job-payload.ts";
import { sentence } from "../payload/parse.ts";
import type { Secrets } from "../payload/sealed.ts";
import type { Db, Tx } from "../store/connect.ts";
import { claimKey, completeKey, type KeyRow } from "../store/idempotency-keys.ts";
import { type Enqueued, enqueueJobs } from "./enqueue-jobs.ts";
import type { JobPlan } from "./job-plan.ts";
import { putJob } from "./put-job.ts";

export interface KeyedPlan {
  plan: JobPlan;
  payload: JobPayload;
  /** `null` for a request without one. */
  key: string | null;
}

/**
 * Makes jobs, all or none, but none whose key has made one within 24 hours: for that the first
 * answer is given again.
 *
 * @throws {AppError} `idempotency_key_taken` when a key came with another request before;
 *   `payload_invalid` when two of the requests have one key.
 */
export async function enqueueOnce(
  db: Db,
  secrets: Secrets,
  requests: readonly KeyedPlan[],
): Promise<Enqueued[]> {
  refuseKeysGivenTwice(requests);
  return await db.transaction(async (tx) => {
    const earlier = await claimAll(tx, secrets, requests);
    const fresh = requests.filter((request) => !earlier.has(request));
    const made = await enqueueJobs(
      tx,
      fresh.map(({ plan }) => plan),
    );
    const answers = new Map(earlier);
    for (const [index, request] of fresh.entries()) {
      const enqueued = made[index];
      if (enqueued === undefined) continue;
      await complete(tx, request, enqueued);
      answers.set(request, enqueued);
    }
    return requests.flatMap((request) => answers.get(request) ?? []);
  });
}

/** Makes or changes a job, unless its key has done so within 24 hours. See `putJob`. */
export async function putJobOnce(db: Db, secrets: Secrets, request: KeyedPlan): Promise<Enqueued> {
  return await db.transaction(async (tx) => {
    const earlier = await claim(tx, secrets, request, request.plan.job.id);
    if (earlier !== null) return earlier;
    const made = await putJob(tx, request.plan);
    await complete(tx, request, made);
    return made;
  });
}

function refuseKeysGivenTwice(requests: readonly KeyedPlan[]): void {
  const keys = requests.map(({ key }) => key);
  const issues = keys.flatMap((key, index) =>
    key !== null && keys.indexOf(key) !== index
      ? [{ path: `${index}.idempotencyKey`, message: "is that of an earlier payload" }]
      : [],
  );
  if (issues.length === 0) return;
  throw new AppError("payload_invalid", sentence("Cannot enqueue", issues), { issues });
}

/** In the order of the keys, so that two requests with the same ones never wait for each other. */
async function claimAll(
  tx: Tx,
  secrets: Secrets,
  requests: readonly KeyedPlan[],
): Promise<Map<KeyedPlan, Enqueued>> {
  const earlier = new Map<KeyedPlan, Enqueued>();
  const inOrder = requests.toSorted((a, b) => ((a.key ?? "") < (b.key ?? "") ? -1 : 1));
  for (const request of inOrder) {
    const made = await claim(tx, secrets, request, null);
    if (made !== null) earlier.set(request, made);
  }
  return earlier;
}

/**
 * @param target The job that a request names by itself; it is part of what is asked for.
 * @returns What the key has made before; `null` when it is this request's to make.
 * @throws {AppError} `idempotency_key_taken`.
 */
async function claim(
  tx: Tx,
  secrets: Secrets,
  { plan, payload, key }: KeyedPlan,
  target: string | null,
): Promise<Enqueued | null> {
  if (key === null) return null;
  const { id: jobId, taskId } = plan.job;
  const [requestHash, ...alsoSame] = hashesOf({ ...payload, target }, secrets);
  const earlier = await claimKey(tx, { taskId, key, requestHash, jobId });
  if (earlier === null) return null;
  const isSame = [requestHash, ...alsoSame].some((hash) => hash.equals(earlier.requestHash));
  if (!isSame) {
    throw new AppError(
      "idempotency_key_taken",
      `Cannot enqueue: the idempotency key "${key}" came with another request before`,
    );
  }
  return enqueuedOf(earlier, plan.pool);
}

/** Keeps what a request has made, for its key if it has one. */
async function complete(tx: Tx, { plan, key }: KeyedPlan, made: Enqueued): Promise<void> {
  if (key !== null) await completeKey(tx, plan.job.taskId, key, made);
}

function enqueuedOf({ jobId, executionId, messageId }: KeyRow, pool: string): Enqueued {
  return { jobId, executionId, messageId, pool, isRepeat: true };
}

/**
 * Of what was asked for, whatever the order of its keys: what is kept of it now, and then what nodes
 * with an earlier key, or of a version without one, may have kept. By a plain digest a short secret
 * in the request could be guessed.
 */
function hashesOf(
  payload: JobPayload & { target: string | null },
  { keyring, sealer }: Secrets,
): [Buffer, ...Buffer[]] {
  const sorted = (_: string, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  const text = JSON.stringify(payload, sorted);
  const plain = createHash("sha256").update(text).digest();
  const keyed = keyring.digests(text);
  return sealer() === null ? [plain, ...keyed] : [keyring.digest(text), ...keyed, plain];
}
