import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { messageOf } from "../core/errors.ts";
import { shareOfHosts } from "../core/farm.ts";
import type { Host } from "../farm/host.ts";
import type { Store } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import {
  acquireLeases,
  LEASE_SECONDS,
  type Lease,
  releaseLease,
  renewLeases,
} from "../store/hosts.ts";
import { beatNode, removeNodes } from "../store/nodes.ts";
import { notify } from "../store/notify.ts";
import { type HostSession, type SessionDeps, startHostSession } from "./host-session.ts";
import type { Log } from "./log.ts";
import { processIdentity } from "./process-identity.ts";
import { repeat } from "./repeat.ts";

const BEAT_EVERY_MS = 2_000;
const LOOK_AT_LEASES_EVERY_MS = 500;
/** Well before the lease ends for the others: from here on nothing is started any more. */
const CONFIRMED_FOR_MS = (LEASE_SECONDS - 2) * 1000;
const STOP_WITHIN_MS = 8_000;
/** A free host is everybody's after this, whatever their shares: nodes may have different hosts. */
const PATIENCE_SECONDS = 5;

export interface NodeDeps {
  store: Store;
  /** One connection for heartbeats alone: behind other questions they would come too late. */
  beatStore: Store;
  version: string;
  installation: string;
  hosts: readonly string[];
  connectHost(name: string): Host;
  queuePoolId(): string | null;
  log: Log;
  logWriter: SessionDeps["logWriter"];
  registries: SessionDeps["registries"];
  pools: SessionDeps["pools"];
  breaker: SessionDeps["breaker"];
  maxLogBytes: SessionDeps["maxLogBytes"];
  hostLostAfterSeconds: SessionDeps["hostLostAfterSeconds"];
  onReachable(host: string): void;
  onEnded(pool: string): void;
}

/** This process as an owner of hosts. */
export interface Node {
  owns(host: string): boolean;
  wake(host: string): void;
  wakeAll(): void;
  /** Some host may be free. */
  lookForHosts(): void;
  /** Leaves all hosts as they are and gives the leases back. */
  stop(): Promise<void>;
}

interface Held {
  session: HostSession;
  /** By the monotonic clock: when the last beat that confirmed the lease was sent. */
  confirmedAt: number;
  isLeft: boolean;
}

/**
 * Takes the leases of its share of the hosts and keeps them by a heartbeat; hands over what is above
 * its share when nodes join, and leaves a host whose lease it lost.
 */
export function startNode(deps: NodeDeps): Node {
  const { store, beatStore, log } = deps;
  const { db } = store;
  const id = crypto.randomUUID();
  const held = new Map<string, Held>();
  const farm = createHash("sha256")
    .update(JSON.stringify([...deps.hosts].sort()))
    .digest("base64url");
  let isStopping = false;

  const take = (lease: Lease, confirmedAt: number) => {
    const session = startHostSession({
      ...deps,
      db,
      lease,
      host: deps.connectHost(lease.host),
      onReachable: () => deps.onReachable(lease.host),
    });
    log.info({ host: lease.host, fence: lease.fence }, "took the lease");
    held.set(lease.host, { session, confirmedAt, isLeft: false });
    void session.ended.then(() => held.delete(lease.host));
  };
  const leave = (entry: Held, why: string) => {
    if (entry.isLeft) return;
    entry.isLeft = true;
    log.warn({ host: entry.session.lease.host, why }, "left the host");
    entry.session.leave();
  };
  const handOver = (entry: Held) => {
    const { lease, ended } = entry.session;
    leave(entry, "another node has room for it");
    void ended
      .then(() => releaseLease(db, lease))
      .then(() => notify(db, { about: "lease" }))
      // It is free for the others when its time is up.
      .catch((error: unknown) => log.warn({ error: messageOf(error) }, "could not hand over"));
  };

  const beat = async () => {
    const sentAt = performance.now();
    const identity = processIdentity() ?? "unknown";
    const node = { id, name: hostname(), version: deps.version, process: identity };
    const nodes = await beatNode(beatStore.db, { ...node, farm, queuePoolId: deps.queuePoolId() });
    const leases = [...held.values()].filter(({ isLeft }) => !isLeft);
    const renewed = await renewLeases(
      beatStore.db,
      leases.map(({ session }) => ({ ...session.lease, isSeen: session.isSeen() })),
    );
    for (const entry of leases) {
      const state = renewed.get(entry.session.lease.host);
      if (state === undefined) leave(entry, "another node holds the lease");
      else {
        entry.confirmedAt = sentAt;
        entry.session.see(state);
      }
    }
    if (isStopping) return;
    const share = shareOfHosts(deps.hosts.length, nodes);
    const kept = [...held.values()].filter(({ isLeft }) => !isLeft);
    if (nodes > 1) for (const entry of kept.slice(share)) handOver(entry);
    const askedAt = performance.now();
    const taken = await acquireLeases(beatStore.db, {
      nodeId: id,
      hosts: deps.hosts.filter((host) => !held.has(host)),
      limit: Math.max(0, share - kept.length),
      patienceSeconds: PATIENCE_SECONDS,
    });
    for (const lease of taken) take(lease, askedAt);
  };
  const beats = repeat(BEAT_EVERY_MS, async () => {
    // A question that hangs would cost the leases: cut what does not answer, and ask anew.
    const patience = setTimeout(() => {
      for (const each of [beatStore, store]) each.reset("a heartbeat hangs");
    }, CONFIRMED_FOR_MS - BEAT_EVERY_MS);
    try {
      await beat();
    } catch (error) {
      if (!isDatabaseDown(error)) log.error({ error: messageOf(error) }, "heartbeat failed");
    } finally {
      clearTimeout(patience);
    }
  });
  const watch = setInterval(() => {
    const now = performance.now();
    for (const entry of held.values()) {
      if (now - entry.confirmedAt > CONFIRMED_FOR_MS) leave(entry, "the lease was not confirmed");
    }
  }, LOOK_AT_LEASES_EVERY_MS);

  return {
    owns: (host) => held.get(host)?.isLeft === false,
    wake: (host) => held.get(host)?.session.wake(),
    lookForHosts: () => beats.hurry(),
    wakeAll: () => {
      for (const { session } of held.values()) session.wake();
    },
    async stop() {
      isStopping = true;
      await beats.stop();
      const sessions = [...held.values()].map(({ session }) => session);
      for (const session of sessions) session.leave();
      await Promise.race([
        Promise.all(sessions.map(({ ended }) => ended)),
        new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS)),
      ]);
      clearInterval(watch);
      // With the node go its leases.
      await removeNodes(db, [id])
        .then(() => notify(db, { about: "lease" }))
        .catch((error: unknown) => {
          log.warn({ error: messageOf(error) }, "could not give the leases back");
        });
    },
  };
}
