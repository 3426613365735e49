import type { HostAccess } from "../core/host-access.ts";
import type { Host } from "../farm/host.ts";
import type { Lease } from "../store/hosts.ts";
import { type HostSession, type SessionDeps, startHostSession } from "./host-session.ts";

export interface HoldDeps extends Omit<SessionDeps, "lease" | "host" | "onReachable"> {
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
  leave(why: string): void;
}

/** Begins to attend to a host. */
export function holdHost(
  deps: HoldDeps,
  lease: Lease,
  access: HostAccess | undefined,
  confirmedAt: number,
): HeldHost {
  const { log } = deps;
  const { host } = lease;
  let isLeft = false;
  const session = startHostSession({
    ...deps,
    lease,
    host: deps.connectHost(host, access),
    onReachable: () => deps.onReachable(host),
  });
  log.info({ host, fence: lease.fence }, "took the lease");
  return {
    session,
    access,
    confirmedAt,
    isLeft: () => isLeft,
    leave(why) {
      if (isLeft) return;
      isLeft = true;
      log.warn({ host, why }, "left the host");
      session.leave();
    },
  };
}
