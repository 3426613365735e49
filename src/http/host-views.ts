import type * as v from "valibot";
import { hostAndPort } from "../core/host-name.ts";
import { hostsOf, type PoolRule } from "../core/pool.ts";
import type { HostStatus, PoolStatus } from "../payload/host-answers.ts";
import type { Db } from "../store/connect.ts";
import { type HostRecord, hostRecords } from "../store/host-records.ts";
import { poolCounts } from "../store/pool-counts.ts";
import type { HostReceipts } from "../store/reconciliations.ts";

/** Every host of the configuration, with what its row tells. */
export async function hostViews(
  db: Db,
  pools: readonly PoolRule[],
): Promise<v.InferOutput<typeof HostStatus>[]> {
  const names = hostsOf(pools);
  const records = await hostRecords(db, names);
  return names.map((name) => {
    const of = pools.filter(({ hosts }) => hosts.includes(name)).map(({ match }) => match);
    return hostView(name, of, records.get(name));
  });
}

function hostView(
  name: string,
  pools: string[],
  record: HostRecord | undefined,
): v.InferOutput<typeof HostStatus> {
  const row = record?.host;
  const lease = record?.lease ?? null;
  const reachable = lease !== null && row?.reachable === true;
  return {
    ...hostAndPort(name),
    name,
    pools,
    available: reachable && row?.circuit === "closed",
    blacklisted: row?.blacklistedAt != null,
    blacklistedAt: timeOf(row?.blacklistedAt),
    drainDeadline: timeOf(row?.drainDeadline),
    circuit: row?.circuit ?? "closed",
    failures: row?.failures ?? 0,
    nextProbeAt: timeOf(row?.nextProbeAt),
    error: row?.lastError ?? (lease === null ? NO_OWNER : null),
    engineVersion: row?.engineVersion ?? null,
    running: record?.running ?? 0,
    lease:
      lease === null
        ? null
        : { node: lease.node, nodeId: lease.nodeId, expiresAt: lease.expiresAt.toISOString() },
    lastSeenAt: timeOf(row?.lastSeenAt),
    unreachableSince: timeOf(row?.unreachableSince),
  };
}

/** Every pool of the configuration, in its order, and how much of its limit is taken. */
export async function poolViews(
  db: Db,
  pools: readonly PoolRule[],
): Promise<v.InferOutput<typeof PoolStatus>[]> {
  const counts = await poolCounts(db);
  return pools.map(({ match, hosts, maxRunning }) => {
    const { running = 0, waiting = 0 } = counts.get(match) ?? {};
    return { match, hosts: [...hosts], running, waiting, maxRunning };
  });
}

const NO_OWNER = "No worker attends to this host";

const timeOf = (at: Date | null | undefined) => at?.toISOString() ?? null;

/** What reconciliation decided on a host. */
export function receiptsView(receipts: HostReceipts | undefined) {
  const { counts, last = [] } = receipts ?? {};
  const shown = last.map(({ decidedAt, decision, executionId, containerId, reason }) => ({
    at: decidedAt.toISOString(),
    decision,
    executionId,
    containerId,
    reason,
  }));
  return { ...counts, last: shown };
}
