import type { HostAccess } from "../core/host-access.ts";
import type { Host } from "../farm/host.ts";
import type { Lease } from "../store/hosts.ts";
import { type HostSession, type SessionDeps, startHostSession } from "./host-session.ts";
import type { WorkerMetrics } from "./metrics.ts";

/** Why a node leaves a host before it stops. */
export type HostLeft = keyof typeof WHY;
const WHY = {
  lost: "another node holds the lease",
  unconfirmed: "the lease was not confirmed in time",
  handed_over: "another node has room for it",
  reconnected: "it is reached in another way from now on",
  unnamed: "no pool names it any more, and nothing runs there",
} as const;

export interface HoldDeps extends Omit<SessionDeps, "lease" | "host" | "metrics" | "onReachable"> {
  metrics: WorkerMetrics;
  connectHost(name: string, access: HostAccess | undefined): Host;
  onReachable(host: string): void;
}

/** A host whose lease this node has taken. */
export interface HeldHost {
  readonly session: HostSession;
  readonly access: HostAccess | undefined;
  /** By the monotonic clock: when the last beat that confirmed the lease was sent. */
  confirmedAt: number;
  isLeft(): boolean;
  leave(reason: HostLeft): void;
}

/** Begins to attend to a host. */
export function holdHost(
  deps: HoldDeps,
  lease: Lease,
  access: HostAccess | undefined,
  confirmedAt: number,
): HeldHost {
  const { log, metrics } = deps;
  const { host } = lease;
  let isLeft = false;
  const session = startHostSession({
    ...deps,
    lease,
    host: deps.connectHost(host, access),
    onReachable: () => deps.onReachable(host),
  });
  log.info({ host, nodeId: lease.nodeId, fence: lease.fence }, "took the lease");
  metrics.leaseTaken();
  void session.ended.then(metrics.leaseOver);
  return {
    session,
    access,
    confirmedAt,
    isLeft: () => isLeft,
    leave(reason) {
      if (isLeft) return;
      isLeft = true;
      metrics.leaseLeft(reason);
      const isPlanned = reason !== "lost" && reason !== "unconfirmed";
      log[isPlanned ? "info" : "warn"]({ host, why: WHY[reason] }, "left the host");
      session.leave();
    },
  };
}
