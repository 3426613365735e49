import { setTimeout as delay } from "node:timers/promises";
import { coalesced } from "../core/coalesced.ts";
import { messageOf } from "../core/errors.ts";
import type { Db } from "../store/connect.ts";
import { type Lease, releaseLeases } from "../store/hosts.ts";
import { leaveFarm, removeNodes } from "../store/nodes.ts";
import { notify } from "../store/notify.ts";
import type { HostSession } from "./host-session.ts";
import type { Log } from "./log.ts";

/** An engine that does not answer what it was asked holds its host back for so long. */
const WAIT_MS = 4_000;

interface GiveBackDeps {
  /** Where nothing else is asked: behind the questions of the API it would come too late. */
  db: Db;
  log: Log;
  nodeId: string;
}

/**
 * Leaves all hosts of a node that stops, and gives each back as soon as nothing acts on it any more,
 * so that one that hangs holds up none of the others. With the node go those that hang: what is
 * still under way there is refused by the fence.
 */
export async function giveBack(
  { db, log, nodeId }: GiveBackDeps,
  sessions: readonly HostSession[],
): Promise<void> {
  const begun = performance.now();
  for (const session of sessions) session.leave();
  // First, since others take no more than their share while this node counts.
  const hasLeft = leaveFarm(db, nodeId);
  const done: Lease[] = [];
  const release = coalesced(async () => {
    await hasLeft;
    const leases = done.splice(0);
    if (leases.length === 0) return;
    await releaseLeases(db, leases);
    await notify(db, { about: "lease" });
  });
  let hanging = sessions.length;
  const all = sessions.map(async ({ lease, ended }) => {
    await ended;
    hanging -= 1;
    done.push(lease);
    await release();
  });
  try {
    await Promise.race([Promise.all([hasLeft, ...all]), delay(WAIT_MS)]);
    await removeNodes(db, [nodeId]);
    await notify(db, { about: "lease" });
    const durationMs = Math.round(performance.now() - begun);
    log.info({ hosts: sessions.length, hanging, durationMs }, "gave its hosts back");
  } catch (error) {
    log.warn({ error: messageOf(error) }, "could not give the leases back");
  }
}
