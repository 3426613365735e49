import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../core/errors.ts";
import { isNothing, type Pause, type Pruned } from "../core/pruned.ts";
import type { Secrets } from "../payload/sealed.ts";
import { prune, type Retention } from "../services/prune.ts";
import { PRUNE_CHORE, PRUNE_EVERY_SECONDS } from "../services/prune-chore.ts";
import { ChoreLost, finishChore, giveBackChore, holdChore, takeChore } from "../store/chores.ts";
import type { Db } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { askToReconcile, leftoversOfHosts } from "../store/leftovers.ts";
import { addLogDays } from "../store/log-days.ts";
import { sampleSize } from "../store/store-size.ts";
import type { Log } from "./log.ts";
import { type Repeated, repeat } from "./repeat.ts";
import { sealRest } from "./sealing.ts";

/** How often a node asks whether it is time: whoever asks first then does it for all. */
const ASK_EVERY_MS = 60_000;
/** How often it says that it is still at it; far below the time after which another one takes over. */
const HOLD_EVERY_MS = 30_000;
/** Of the waits between two steps, which are as long as the step was. */
const MAX_PAUSE_MS = 500;
const OWNERS_ANSWER_WITHIN_MS = 15_000;
const ASK_OWNERS_EVERY_MS = 250;

export interface HousekeepingDeps {
  db: Db;
  log: Log;
  retention: Retention;
  secrets: Secrets;
}

/**
 * Each hour, and when somebody asks for it, one node makes room for the logs to come and removes
 * what need not be kept any more.
 */
export function startHousekeeping(deps: HousekeepingDeps): Repeated {
  const { db, log } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  const keeping = repeat(ASK_EVERY_MS, async () => {
    let holder: string | null = null;
    try {
      holder = await takeChore(db, PRUNE_CHORE, PRUNE_EVERY_SECONDS);
      if (holder === null) return;
      const result = await keepHouse(deps, signal, holder);
      await finishChore(db, PRUNE_CHORE, holder, { pruned: result });
    } catch (error) {
      if (holder !== null && signal.aborted) {
        await giveBackChore(db, PRUNE_CHORE, holder).catch(() => {});
      }
      // A statement that takes too long counts as Postgres being away, and would each hour.
      if (signal.aborted || (holder === null && isDatabaseDown(error))) return;
      log.error({ error: messageOf(error) }, "housekeeping failed");
      if (holder === null || error instanceof ChoreLost) return;
      const result = { error: messageOf(error) };
      await finishChore(db, PRUNE_CHORE, holder, result).catch(() => {});
    }
  });
  return {
    hurry: keeping.hurry,
    async stop() {
      stopping.abort();
      await keeping.stop();
    },
  };
}

/** @param holder Of the chore; `null` where nobody else could do it meanwhile. */
export async function keepHouse(
  { db, log, retention, secrets }: HousekeepingDeps,
  signal: AbortSignal,
  holder: string | null,
): Promise<Pruned> {
  const pause = pauses(signal, async () => {
    if (holder !== null) await holdChore(db, PRUNE_CHORE, holder);
  });
  await addLogDays(db);
  await sampleSize(db);
  const before = await leftoversOfHosts(db);
  await askToReconcile(db);
  const { pruned, logs } = await prune(db, retention, pause);
  const { busy, dropped, thinned } = logs;
  await sealRest({ db, log, secrets }, signal);
  if (busy.length > 0) log.warn({ days: busy }, "logs are in use that are to be dropped");
  const after = await afterOwnersLooked(db, signal);
  pruned.containers.count = Math.max(0, after.removed - before.removed);
  if (!isNothing(pruned)) {
    const counts = Object.fromEntries(
      Object.entries(pruned).flatMap(([kind, { count }]) => (count > 0 ? [[kind, count]] : [])),
    );
    log.info({ ...counts, dropped, thinned }, "removed what need not be kept any more");
  }
  return pruned;
}

/** What there is when the owners of the hosts have looked, or have had their time. */
async function afterOwnersLooked(db: Db, signal: AbortSignal) {
  const deadline = performance.now() + OWNERS_ANSWER_WITHIN_MS;
  for (;;) {
    const leftovers = await leftoversOfHosts(db);
    if (leftovers.unseen === 0 || performance.now() > deadline) return leftovers;
    await delay(ASK_OWNERS_EVERY_MS, undefined, { signal });
  }
}

/**
 * Waits as long as the step before took, so that others get at least as much of Postgres, and
 * autovacuum keeps up.
 */
function pauses(signal: AbortSignal, hold: () => Promise<void>): Pause {
  let heldAt = performance.now();
  let begun = performance.now();
  return async () => {
    signal.throwIfAborted();
    const tookMs = performance.now() - begun;
    await delay(Math.min(tookMs, MAX_PAUSE_MS), undefined, { signal });
    if (performance.now() - heldAt > HOLD_EVERY_MS) {
      await hold();
      heldAt = performance.now();
    }
    begun = performance.now();
  };
}
