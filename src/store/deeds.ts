import type { FailureCause, Status } from "../core/status.ts";
import type { Db, Tx } from "./connect.ts";

/** An execution that was made: because of a request, by its schedule, or to retry another. */
interface Enqueued {
  kind: "enqueued";
  id: string;
  jobId: string;
  taskId: string;
  pool: string;
  origin: "request" | "schedule" | "retry";
}

/** One that was given to a host. */
interface Placed {
  kind: "placed";
  pool: string;
  /** Since it could have begun. */
  waitedSeconds: number;
}

/** One whose container was seen to run for the first time. */
interface Started {
  kind: "started";
  id: string;
  jobId: string;
  taskId: string;
  pool: string;
  host: string;
}

interface Ended {
  kind: "ended";
  id: string;
  jobId: string;
  taskId: string;
  pool: string;
  host: string | null;
  status: Status;
  failureCause: FailureCause | null;
  exitCode: number | null;
  message: string | null;
  logHasGap: boolean;
  /** From its container's start; `null` where it had none. */
  ranSeconds: number | null;
  /** From when it was made. */
  wholeSeconds: number;
  /** The trace that it is told in; `null` where nothing is. */
  traceparent: string | null;
}

/** Parts of logs that were stored. */
interface Logged {
  kind: "logged";
  bytes: number;
}

/** What a transaction has done that metrics and the service's log tell of, once it is committed. */
export type Deed = Enqueued | Placed | Started | Ended | Logged;
export type OnDeed = (deed: Deed) => void;

const doneIn = new WeakMap<object, Deed[]>();

/** Tells of it when the transaction commits, and never if it does not. */
export function note(tx: Tx, ...deeds: readonly Deed[]): void {
  doneIn.get(tx)?.push(...deeds);
}

/**
 * Has the transactions of a database tell what they have done. Where the answer to a commit is lost,
 * nothing is told, although it may be done.
 */
export function tellDeeds(db: Db, onDeed: OnDeed): Db {
  const transaction = db.transaction.bind(db);
  db.transaction = async (run, config) => {
    const deeds: Deed[] = [];
    const result = await transaction(async (tx) => {
      doneIn.set(tx, deeds);
      return await run(tx);
    }, config);
    for (const deed of deeds) onDeed(deed);
    return result;
  };
  return db;
}
