import { createSharedMessages } from "../queue/shared-messages.ts";
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

export interface EnqueuerDeps extends Pick<Store, "db" | "sql" | "onDeed"> {
  /**
   * Has pools dispatched in which something new waits, when it is committed; `null` when another
   * process must, at the word of the queue.
   */
  dispatch: ((pools: readonly string[]) => void) | null;
}

export function createEnqueuer({ db, sql, dispatch, onDeed }: EnqueuerDeps): Enqueuer {
  const shared = createSharedMessages(dispatch !== null);
  const line: Waiting[] = [];
  /** The sizes of the batches that are under way. */
  const underWay: number[] = [];

  const make = async (batch: readonly Waiting[]): Promise<void> => {
    const plans = batch.map(({ plan }) => plan);
    try {
      const made = plans.every(({ firstTick }) => firstTick === null)
        ? await enqueueAtOnce(sql, shared, plans, onDeed)
        : await db.transaction((tx) => enqueueJobs(tx, plans));
      for (const [index, enqueued] of made.entries()) batch[index]?.resolve(enqueued);
    } catch (error) {
      if (batch.length === 1 || isDatabaseDown(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
      // One of them is wrong in a way that only the database found: each shall stand for itself.
      for (const waiting of batch) await make([waiting]);
      return;
    }
    dispatch?.([...new Set(plans.map(({ pool }) => pool))]);
  };
  const work = async () => {
    // A second one begins when as many wait as are under way: smaller ones would cost more than
    // they gain.
    while (line.length > 0 && underWay.length < 2 && line.length >= (underWay[0] ?? 0)) {
      const batch = line.splice(0, BATCH);
      underWay.push(batch.length);
      await make(batch);
      underWay.splice(underWay.indexOf(batch.length), 1);
    }
  };
  return {
    enqueue: (plan) =>
      new Promise((resolve, reject) => {
        line.push({ plan, resolve, reject });
        void work();
      }),
  };
}
