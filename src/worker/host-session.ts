import { setTimeout as delay } from "node:timers/promises";
import { backoffMs } from "../core/backoff.ts";
import { messageOf } from "../core/errors.ts";
import { type Host, HostUnreachable } from "../farm/host.ts";
import { putBackExecution } from "../services/put-back-execution.ts";
import type { Db } from "../store/connect.ts";
import { executionsOnHost } from "../store/executions.ts";
import { type Lease, LeaseLost, recordUnreachable } from "../store/hosts.ts";
import { type Attendance, type AttendDeps, attendHost } from "./attend-host.ts";
import type { Log } from "./log.ts";
import { Abandoned, persist } from "./persist.ts";

const RECONNECT = { minMs: 250, factor: 2, maxMs: 5_000 };

export interface SessionDeps {
  host: Host;
  db: Db;
  lease: Lease;
  installation: string;
  log: Log;
  registries: AttendDeps["registries"];
  onReachable(): void;
  onEnded(pool: string): void;
}

/** A node's time as the owner of a host, from the lease's beginning to its end. */
export interface HostSession {
  readonly lease: Lease;
  wake(): void;
  /** Leaves the host as it is: containers run on, and the next owner adopts them. */
  leave(): void;
  /** Settles when nothing of the session acts any more. */
  readonly ended: Promise<void>;
}

export function startHostSession(deps: SessionDeps): HostSession {
  const { lease, log } = deps;
  const left = new AbortController();
  let attendance: Attendance | null = null;

  const run = async () => {
    let failures = 0;
    while (!left.signal.aborted) {
      const onReachable = () => {
        failures = 0;
        deps.onReachable();
      };
      attendance = attendHost({
        ...deps,
        signal: left.signal,
        engineWasGone: failures > 0,
        onReachable,
      });
      const error = await attendance.ended.catch((reason: unknown) => reason);
      attendance = null;
      if (error instanceof LeaseLost || error instanceof Abandoned) return;
      failures += 1;
      await tellUnreachable(deps, left.signal, error);
      const pauseMs = backoffMs(RECONNECT, failures, Math.random());
      await delay(pauseMs, undefined, { signal: left.signal }).catch(() => {});
    }
  };

  return {
    lease,
    wake: () => attendance?.wake(),
    leave: () => left.abort(),
    ended: run().catch((error: unknown) => {
      if (error instanceof LeaseLost || error instanceof Abandoned) return;
      log.error({ host: lease.host, error: messageOf(error) }, "host session broke");
    }),
  };
}

/**
 * Writes that the host does not answer, and frees what has not been started there for others. What
 * may have been started stays: only the engine can tell, and must not be doubled.
 */
async function tellUnreachable(
  { db, lease, log }: SessionDeps,
  signal: AbortSignal,
  error: unknown,
): Promise<void> {
  const words = messageOf(error);
  log.warn({ host: lease.host, error: words }, "the host cannot be attended to");
  if (!(error instanceof HostUnreachable)) return;
  await persist(signal, () => recordUnreachable(db, lease, words));
  const executions = await persist(signal, () => executionsOnHost(db, lease.host));
  for (const execution of executions) {
    if (execution.status !== "pulling" || execution.claimedAt !== null) continue;
    await persist(signal, () => putBackExecution(db, lease, execution, words));
  }
}
