import type { Db } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { type Enqueued, enqueueJobs } from "./enqueue-jobs.ts";
import type { JobPlan } from "./job-plan.ts";

/** Takes jobs one by one, and makes those that arrive together in one transaction. */
export interface Enqueuer {
  /** Resolves when the job is there; an error of its own is nobody else's. */
  enqueue(plan: JobPlan): Promise<Enqueued>;
}

/** One is under way while the next gathers: more would only share the disk's time. */
const TRANSACTIONS_AT_ONCE = 2;
const BATCH = 250;

interface Waiting {
  plan: JobPlan;
  resolve(enqueued: Enqueued): void;
  reject(error: unknown): void;
}

/** @param onEnqueued Told of the pools in which something new waits, when it is committed. */
export function createEnqueuer(db: Db, onEnqueued: (pools: readonly string[]) => void): Enqueuer {
  const line: Waiting[] = [];
  let underWay = 0;

  const make = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const made = await db.transaction((tx) =>
        enqueueJobs(
          tx,
          batch.map(({ plan }) => plan),
        ),
      );
      for (const [index, enqueued] of made.entries()) batch[index]?.resolve(enqueued);
      onEnqueued([...new Set(made.map(({ pool }) => pool))]);
    } catch (error) {
      if (batch.length === 1 || isDatabaseDown(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
      // One of them is wrong in a way that only the database found: each shall stand for itself.
      for (const waiting of batch) await make([waiting]);
    }
  };
  const work = async () => {
    if (underWay >= TRANSACTIONS_AT_ONCE) return;
    underWay += 1;
    while (line.length > 0) await make(line.splice(0, BATCH));
    underWay -= 1;
  };
  return {
    enqueue: (plan) =>
      new Promise((resolve, reject) => {
        line.push({ plan, resolve, reject });
        void work();
      }),
  };
}
