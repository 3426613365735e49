import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../core/errors.ts";
import { shareOfHosts } from "../core/farm.ts";
import type { HostAccess } from "../core/host-access.ts";
import { managerOf } from "../core/swarm-name.ts";
import type { Store } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { hostRecords } from "../store/host-records.ts";
import {
  acquireLeases,
  LEASE_SECONDS,
  type Lease,
  releaseLease,
  renewLeases,
} from "../store/hosts.ts";
import { beatNode } from "../store/nodes.ts";
import { notify } from "../store/notify.ts";
import { giveBack } from "./give-back.ts";
import { type HeldHost, type HoldDeps, holdHost } from "./held-host.ts";
import { processIdentity } from "./process-identity.ts";
import { repeat } from "./repeat.ts";

const BEAT_EVERY_MS = 2_000;
const LOOK_AT_LEASES_EVERY_MS = 500;
/** Well before the lease ends for the others: from here on nothing is started any more. */
const CONFIRMED_FOR_MS = (LEASE_SECONDS - 2) * 1000;
/** A free host is everybody's after this, whatever their shares: nodes may have different hosts. */
const PATIENCE_SECONDS = 5;

/** The hosts that pools name, and how they are reached. */
interface NodeHosts {
  hosts: readonly string[];
  /** By the name of the host, or of the swarm's manager. */
  hostAccess: Readonly<Record<string, HostAccess>>;
}

export interface NodeDeps extends NodeHosts, Omit<HoldDeps, "db"> {
  store: Store;
  /** One connection for heartbeats alone: behind other questions they would come too late. */
  beatStore: Store;
  version: string;
  queuePoolId(): string | null;
  /**
   * Gives back the lease of a host that no pool names any more.
   *
   * @returns `false` when something has been given to it meanwhile: the lease is kept then.
   */
  releaseEmpty(lease: Lease): Promise<boolean>;
}

/** This process as an owner of hosts. */
export interface Node {
  owns(host: string): boolean;
  wake(host: string): void;
  wakeAll(): void;
  /** Some host may be free. */
  lookForHosts(): void;
  /** Goes on with other hosts. One that is among them no more is kept until nothing runs there. */
  reload(next: NodeHosts): void;
  /** Leaves all hosts as they are and gives the leases back. */
  stop(): Promise<void>;
}

/**
 * Takes the leases of its share of the hosts and keeps them by a heartbeat; hands over what is above
 * its share when nodes join, and leaves a host whose lease it lost.
 */
export function startNode(deps: NodeDeps): Node {
  const { store, beatStore, log } = deps;
  const { db } = store;
  const id = crypto.randomUUID();
  deps.metrics.nodeIs(id, hostname());
  const held = new Map<string, HeldHost>();
  /** Named by no pool any more, and kept until nothing runs there. */
  const retired = new Set<string>();
  let { hosts, hostAccess } = deps;
  const accessTo = (host: string) => hostAccess[managerOf(host) ?? host];
  let isStopping = false;

  const take = (lease: Lease, confirmedAt: number) => {
    const { host } = lease;
    const entry = holdHost({ ...deps, db }, lease, accessTo(host), confirmedAt);
    held.set(host, entry);
    if (!hosts.includes(host)) retired.add(host);
    void entry.session.ended.then(() => held.delete(host));
  };
  const handOver = (entry: HeldHost) => {
    const { lease, ended } = entry.session;
    entry.leave("handed_over");
    void ended
      .then(() => releaseLease(db, lease))
      .then(() => notify(db, { about: "lease" }))
      // It is free for the others when its time is up.
      .catch((error: unknown) =>
        log.warn({ host: lease.host, error: messageOf(error) }, "could not hand over the host"),
      );
  };
  /** A new session begins with the next beat. */
  const reconnect = (entry: HeldHost) => {
    entry.leave("reconnected");
    void entry.session.ended.then(() => beats.hurry());
  };
  /** Nothing runs there any more. */
  const letGo = (host: string) => {
    const entry = held.get(host);
    if (entry === undefined) return void retired.delete(host);
    if (entry.isLeft() || !entry.session.isAtRest()) return;
    const { lease, ended } = entry.session;
    entry.leave("unnamed");
    retired.delete(host);
    void ended
      .then(() => deps.releaseEmpty(lease))
      .then((isReleased) => {
        // Something has come all the same: the next beat takes it again.
        if (!isReleased && !hosts.includes(host)) retired.add(host);
      })
      .catch((error: unknown) =>
        log.warn({ host, error: messageOf(error) }, "could not let go of the host"),
      );
  };

  const beat = async () => {
    const sentAt = performance.now();
    const identity = processIdentity() ?? "unknown";
    const node = { id, name: hostname(), version: deps.version, process: identity };
    const farm = farmOf(hosts);
    const nodes = await beatNode(beatStore.db, { ...node, farm, queuePoolId: deps.queuePoolId() });
    const leases = [...held.values()].filter((entry) => !entry.isLeft());
    const renewed = await renewLeases(
      beatStore.db,
      leases.map(({ session }) => ({ ...session.lease, isSeen: session.isSeen() })),
    );
    for (const entry of leases) {
      const state = renewed.get(entry.session.lease.host);
      if (state === undefined) entry.leave("lost");
      else {
        entry.confirmedAt = sentAt;
        entry.session.see(state);
      }
    }
    if (isStopping) return;
    const share = shareOfHosts(hosts.length, nodes);
    const kept = [...held].filter(([host, entry]) => !entry.isLeft() && !retired.has(host));
    if (nodes > 1) for (const [, entry] of kept.slice(share)) handOver(entry);
    await acquire(hosts, share - kept.length);
    if (retired.size > 0) await seeToRetired();
  };
  const acquire = async (wanted: readonly string[], limit: number) => {
    const askedAt = performance.now();
    const taken = await acquireLeases(beatStore.db, {
      nodeId: id,
      hosts: wanted.filter((host) => !held.has(host)),
      limit: Math.max(0, limit),
      patienceSeconds: PATIENCE_SECONDS,
    });
    for (const lease of taken) take(lease, askedAt);
  };
  const seeToRetired = async () => {
    const records = await hostRecords(beatStore.db, [...retired]);
    for (const host of retired) if ((records.get(host)?.running ?? 0) === 0) letGo(host);
    await acquire([...retired], retired.size);
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
      if (now - entry.confirmedAt > CONFIRMED_FOR_MS) entry.leave("unconfirmed");
    }
  }, LOOK_AT_LEASES_EVERY_MS);

  return {
    owns: (host) => held.get(host)?.isLeft() === false,
    wake: (host) => held.get(host)?.session.wake(),
    lookForHosts: () => beats.hurry(),
    reload(next) {
      for (const host of hosts) retired.add(host);
      for (const host of next.hosts) retired.delete(host);
      hosts = next.hosts;
      // Those that are retired are reached as they were.
      hostAccess = { ...hostAccess, ...next.hostAccess };
      for (const [host, entry] of held) {
        if (!isDeepStrictEqual(entry.access, accessTo(host))) reconnect(entry);
      }
      beats.hurry();
    },
    wakeAll: () => {
      for (const { session } of held.values()) session.wake();
    },
    async stop() {
      isStopping = true;
      const sessions = new Set([...held.values()].map(({ session }) => session));
      // Before the beat that is under way, which may hang and may take a last host.
      for (const session of sessions) session.leave();
      await beats.stop();
      for (const { session } of held.values()) sessions.add(session);
      await giveBack({ db: beatStore.db, log, nodeId: id }, [...sessions]);
      clearInterval(watch);
    },
  };
}

/** The same for all nodes with the same hosts. */
function farmOf(hosts: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([...hosts].sort()))
    .digest("base64url");
}
