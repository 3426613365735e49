import type { Store } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { type Enqueued, enqueueAtOnce, enqueueJobs } from "./enqueue-jobs.ts";
import type { JobPlan } from "./job-plan.ts";

/** Takes jobs one by one, and makes those that arrive together in one transaction. */
export interface Enqueuer {
  /** Resolves when the job is there; an error of its own is nobody else's. */
  enqueue(plan: JobPlan): Promise<Enqueued>;
}

const BATCH = 250;

interface Waiting {
  plan: JobPlan;
  resolve(enqueued: Enqueued): void;
  reject(error: unknown): void;
}

/** @param onEnqueued Told of the pools in which something new waits, when it is committed. */
export function createEnqueuer(
  { db, sql }: Pick<Store, "db" | "sql">,
  onEnqueued: (pools: readonly string[]) => void,
): Enqueuer {
  const line: Waiting[] = [];
  let isUnderWay = false;

  const make = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const plans = batch.map(({ plan }) => plan);
      const made = plans.every(({ firstTick }) => firstTick === null)
        ? await enqueueAtOnce(sql, plans)
        : await db.transaction((tx) => enqueueJobs(tx, plans));
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
    // While one is under way the next gathers: the more at once, the less each of them costs.
    if (isUnderWay) return;
    isUnderWay = true;
    while (line.length > 0) await make(line.splice(0, BATCH));
    isUnderWay = false;
  };
  return {
    enqueue: (plan) =>
      new Promise((resolve, reject) => {
        line.push({ plan, resolve, reject });
        void work();
      }),
  };
}
