import type { BreakerRules } from "../core/farm.ts";
import type { Host } from "../farm/host.ts";
import { probeLabelsOf } from "../farm/labels.ts";
import type { Db } from "../store/connect.ts";
import { beginProbe, recordFailure, recordSuccess } from "../store/host-state.ts";
import { type HostState, type Lease, LeaseLost } from "../store/hosts.ts";
import type { Log } from "./log.ts";
import { persist } from "./persist.ts";

const ONE_FAILURE_MS = 250;

export interface BreakerDeps {
  host: Host;
  db: Db;
  lease: Lease;
  installation: string;
  breaker: BreakerRules;
  log: Log;
  signal: AbortSignal;
}

/** A host's circuit breaker as its owner has it: what it sees goes to the row, for all to see. */
export interface Breaker {
  /** The row has been read or written. */
  see(state: HostState): void;
  /** The host has done what an execution asked of it. */
  worked(): Promise<void>;
  /** It has not, by a fault of its own. @param error In its words. */
  failed(error: string): Promise<void>;
  /** Closes the circuit by a probe, where that is due. @returns Whether this has closed it. */
  probeIfDue(): Promise<boolean>;
  /** How long until a probe is due, in milliseconds; `null` while the circuit is closed. */
  probeInMs(): number | null;
}

export function createBreaker(deps: BreakerDeps): Breaker {
  const { host, db, lease, installation, log, signal } = deps;
  let state: HostState | null = null;
  let failedAt = Number.NEGATIVE_INFINITY;
  let seenAt = performance.now();

  const see = (seen: HostState) => {
    if (state !== null && seen.circuit !== state.circuit) {
      const { circuit, failures } = seen;
      log.warn({ host: host.name, circuit, failures }, "the circuit breaker has changed");
    }
    state = seen;
    seenAt = performance.now();
  };
  const write = async (change: () => Promise<HostState | null>) => {
    const written = await persist(signal, change);
    if (written === null) throw new LeaseLost(lease);
    see(written);
  };
  const succeed = () => write(() => recordSuccess(db, lease));
  const fail = (error: string) => write(() => recordFailure(db, lease, error, deps.breaker));
  const probeInMs = () => {
    const { probeInMs: atFirst = null } = state ?? {};
    return atFirst === null ? null : atFirst - (performance.now() - seenAt);
  };

  return {
    see,
    async worked() {
      if ((state?.failures ?? 0) > 0) await succeed();
    },
    async failed(error) {
      // Several that wait for the same thing are told of its failure at once, which is one.
      const isSame = performance.now() - failedAt < ONE_FAILURE_MS;
      failedAt = performance.now();
      if (!isSame) await fail(error);
    },
    probeInMs,
    async probeIfDue() {
      const dueInMs = probeInMs();
      if (dueInMs === null || dueInMs > 0) return false;
      await write(() => beginProbe(db, lease));
      try {
        await host.probe(probeLabelsOf(installation, host.name));
      } catch (error) {
        await fail(`probe: ${error instanceof Error ? error.message : String(error)}`);
        return false;
      }
      await succeed();
      return true;
    },
  };
}
