import { setTimeout as delay } from "node:timers/promises";
import { backoffMs } from "../core/backoff.ts";
import { messageOf } from "../core/errors.ts";
import { EngineRefusal, type Host, HostUnreachable } from "../farm/host.ts";
import { loseExecution } from "../services/lose-execution.ts";
import { putBackExecution } from "../services/put-back-execution.ts";
import type { Db } from "../store/connect.ts";
import { executionsOnHost } from "../store/executions.ts";
import { recordFailure, recordUnreachable } from "../store/host-state.ts";
import { type HostState, type Lease, LeaseLost } from "../store/hosts.ts";
import { type Attendance, type AttendDeps, attendHost } from "./attend-host.ts";
import type { Log } from "./log.ts";
import { Abandoned, persist } from "./persist.ts";

const REMIND_AFTER_MS = 300_000;
const RECONNECT = { minMs: 250, factor: 2, maxMs: 5_000 };
/** So long an owner asks itself before it gives up what runs there: nobody may have asked before it. */
const ASKED_FOR_MS = 30_000;

export interface SessionDeps {
  host: Host;
  db: Db;
  lease: Lease;
  installation: string;
  logWriter: AttendDeps["logWriter"];
  log: Log;
  metrics: AttendDeps["metrics"];
  registries: AttendDeps["registries"];
  secrets: AttendDeps["secrets"];
  pools: AttendDeps["pools"];
  traces: AttendDeps["traces"];
  breaker: AttendDeps["breaker"];
  maxLogBytes: AttendDeps["maxLogBytes"];
  /** What runs on a host that has not answered for so long is lost. */
  hostLostAfterSeconds: number;
  onReachable(): void;
  onEnded(pool: string): void;
}

/** A node's time as the owner of a host, from the lease's beginning to its end. */
export interface HostSession {
  readonly lease: Lease;
  wake(): void;
  /** The host's row has been read. */
  see(state: HostState): void;
  /** Whether the engine answered when it was asked last. */
  isSeen(): boolean;
  /** Whether no execution is seen to at the moment. */
  isAtRest(): boolean;
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
    let silentSince: number | null = null;
    let engineWasGone = false;
    const decided = new Set<string>();
    const complain = complaints(log, lease.host);
    while (!left.signal.aborted) {
      const onReachable = () => {
        failures = 0;
        silentSince = null;
        deps.onReachable();
      };
      const current = attendHost({
        ...deps,
        signal: left.signal,
        engineWasGone,
        decided,
        onReachable,
      });
      attendance = current;
      const error = await current.ended.catch((reason: unknown) => reason);
      attendance = null;
      if (error instanceof LeaseLost || error instanceof Abandoned) return;
      failures += 1;
      silentSince ??= performance.now();
      complain(messageOf(error));
      engineWasGone = error instanceof HostUnreachable;
      const silentMs = performance.now() - silentSince;
      await tellUnreachable(deps, left.signal, error, { silentMs, ...current });
      const pauseMs = backoffMs(RECONNECT, failures, Math.random());
      await delay(pauseMs, undefined, { signal: left.signal }).catch(() => {});
    }
  };

  return {
    lease,
    wake: () => attendance?.wake(),
    see: (state) => attendance?.see(state),
    isSeen: () => attendance?.isSeen() ?? false,
    isAtRest: () => attendance?.isAtRest() ?? true,
    leave: () => left.abort(),
    ended: run()
      .catch((error: unknown) => {
        if (error instanceof LeaseLost || error instanceof Abandoned) return;
        log.error({ host: lease.host, error: messageOf(error) }, "host session broke");
      })
      .finally(() => deps.host.close()),
  };
}

/** Says in the log what is wrong with a host: once, and again when it is another thing or long ago. */
function complaints(log: Log, host: string): (words: string) => void {
  let said = { words: "", at: Number.NEGATIVE_INFINITY };
  return (words) => {
    const now = performance.now();
    if (words === said.words && now - said.at < REMIND_AFTER_MS) return;
    said = { words, at: now };
    log.warn({ host, error: words }, "the host cannot be attended to");
  };
}

/**
 * Writes that the host does not answer, and frees what has not been started there for others. What
 * may have been started stays, since only the engine can tell, and must not be doubled; until the
 * host has been away for so long that it is given up.
 */
async function tellUnreachable(
  deps: SessionDeps,
  signal: AbortSignal,
  error: unknown,
  { silentMs, unstarted }: { silentMs: number; unstarted: ReadonlySet<string> },
): Promise<void> {
  const { db, lease, log, breaker, hostLostAfterSeconds } = deps;
  const words = messageOf(error);
  if (!(error instanceof HostUnreachable || error instanceof EngineRefusal)) return;
  const seconds = await persist(signal, () => recordUnreachable(db, lease, words));
  const state = await persist(signal, () => recordFailure(db, lease, words, breaker));
  if (seconds === null || state === null) throw new LeaseLost(lease);
  if (state.failures === breaker.maxFails) {
    log.warn({ host: lease.host, failures: state.failures }, "the circuit breaker has opened");
  }
  const askedForMs = Math.min(ASKED_FOR_MS, hostLostAfterSeconds * 1_000);
  const isLost = seconds >= hostLostAfterSeconds && silentMs >= askedForMs;
  const reason = `The host has not answered for ${Math.round(seconds)} s (${words})`;
  for (const execution of await persist(signal, () => executionsOnHost(db, lease.host))) {
    const isUnstarted = execution.claimedAt === null || unstarted.has(execution.id);
    if (execution.status === "pulling" && isUnstarted) {
      const fault = { message: words, isOfHost: true };
      await persist(signal, () => putBackExecution(db, lease, execution, fault));
    } else if (isLost) {
      await persist(signal, () => loseExecution(db, lease, { execution, reason, restOfLog: [] }));
      deps.onEnded(execution.pool);
      log.warn({ executionId: execution.id, host: lease.host, reason }, "lost");
    }
  }
}
