import { sql } from "drizzle-orm";
import type { BreakerRules } from "../core/farm.ts";
import type { Db } from "./connect.ts";
import { HOST_STATE, type HostState, isHeld, type Lease } from "./hosts.ts";
import { hosts } from "./schema.ts";

/** @returns `null` when the lease is lost, as from each of these. */
export async function recordReachable(
  db: Db,
  lease: Lease,
  engineVersion: string,
): Promise<HostState | null> {
  const [state] = await db
    .update(hosts)
    .set({
      reachable: true,
      lastSeenAt: sql`now()`,
      engineVersion,
      unreachableSince: null,
      lastError: sql`CASE WHEN failures = 0 THEN NULL ELSE last_error END`,
    })
    .where(isHeld(lease))
    .returning(HOST_STATE);
  return state ?? null;
}

/** @returns For how many seconds no owner has got an answer; `null` when the lease is lost. */
export async function recordUnreachable(
  db: Db,
  lease: Lease,
  error: string,
): Promise<number | null> {
  const [row] = await db
    .update(hosts)
    .set({
      reachable: false,
      lastError: error,
      unreachableSince: sql`coalesce(unreachable_since, clock_timestamp())`,
    })
    .where(isHeld(lease))
    .returning({
      seconds: sql<number>`extract(epoch FROM clock_timestamp() - unreachable_since)::float8`,
    });
  return row?.seconds ?? null;
}

/**
 * Counts a failure of the host, and opens its circuit where the rules say so. A failure while it is
 * open leaves the time of the probe, unless that was due: then it stands for the probe.
 */
export async function recordFailure(
  db: Db,
  lease: Lease,
  error: string,
  { maxFails, resetTimeoutSeconds }: BreakerRules,
): Promise<HostState | null> {
  const isTripped = sql`(circuit <> 'closed' OR failures + 1 >= ${maxFails})`;
  const isWaiting = sql`(circuit = 'open' AND next_probe_at > clock_timestamp())`;
  const [state] = await db
    .update(hosts)
    .set({
      failures: sql`failures + 1`,
      lastError: error,
      circuit: sql`CASE WHEN ${isTripped} THEN 'open' ELSE 'closed' END`,
      nextProbeAt: sql`CASE
        WHEN ${isWaiting} THEN next_probe_at
        WHEN ${isTripped} THEN clock_timestamp() + make_interval(secs => ${resetTimeoutSeconds})
      END`,
    })
    .where(isHeld(lease))
    .returning(HOST_STATE);
  return state ?? null;
}

/** Closes the circuit: the host does what it is asked for. */
export async function recordSuccess(db: Db, lease: Lease): Promise<HostState | null> {
  const [state] = await db
    .update(hosts)
    .set({ circuit: "closed", failures: 0, nextProbeAt: null, lastError: null })
    .where(isHeld(lease))
    .returning(HOST_STATE);
  return state ?? null;
}

/** Tells everybody that a probe is under way. One that a crash cut off is due again at once. */
export async function beginProbe(db: Db, lease: Lease): Promise<HostState | null> {
  const [state] = await db
    .update(hosts)
    .set({ circuit: sql`CASE circuit WHEN 'closed' THEN 'closed' ELSE 'half-open' END` })
    .where(isHeld(lease))
    .returning(HOST_STATE);
  return state ?? null;
}
