import { setTimeout as delay } from "node:timers/promises";
import type { Db } from "../store/connect.ts";
import {
  endedLately,
  executionsByIds,
  executionsOnHosts,
  farmAtOnce,
  readStretches,
  type TailedRow,
} from "../store/tailed.ts";
import type { Hints, Word } from "./hints.ts";
import { advance, finish, type TailFeed } from "./tail-feed.ts";
import {
  createTailMember,
  type TailFilter,
  type TailMember,
  type TailReader,
} from "./tail-reader.ts";
import { createTailRoster, type TailRoster } from "./tail-roster.ts";
import { createTaskMatches, type TaskMatches } from "./task-matches.ts";

/**
 * Follows the logs of many executions for any number of readers. Each log is read once for all of
 * them, and many logs by one statement; a reader that is slow slows nobody, and loses what is old.
 */
export interface Tail {
  /** Resolves when all that is written from then on is going to be told. */
  open(filter: TailFilter): Promise<TailReader>;
}

export interface TailDeps {
  db: Db;
  hints: Hints;
  onFault(error: unknown): void;
}

/** Who has written nothing, and those whose words were lost, are found so. */
const LOOK_EVERY_MS = 1_000;
const READ_ALL_EVERY_MS = 5_000;
/** Whoever listens finds out within so long that it hears nothing any more. */
const DEAF_FOR_SECONDS = 30;
/** Words that come in between are seen to together. */
const BEAT_MS = 50;
const LOGS_AT_ONCE = 32;

interface Joining {
  member: TailMember;
  resolve(): void;
  reject(error: unknown): void;
}

/** What is done while there are readers. */
interface Round {
  deps: TailDeps;
  roster: TailRoster;
  matches: TaskMatches;
  lookAt: number;
  readAllAt: number;
  /** Words may have been lost: some may have begun and ended that nobody has seen. */
  wereWordsLost: boolean;
  /** When the farm was last seen, by the clock of `performance`. */
  seenAt: number;
}

export function createTail(deps: TailDeps): Tail {
  const matches = createTaskMatches(deps);
  const round: Round = {
    deps,
    matches,
    roster: createTailRoster(matches.fits),
    lookAt: 0,
    readAllAt: 0,
    wereWordsLost: false,
    seenAt: performance.now(),
  };
  let joining: Joining[] = [];
  let isRunning = false;
  let woken = Promise.withResolvers<void>();

  const hear = (word: Word | null) => {
    if (word !== null) round.roster.hear(word);
    else Object.assign(round, { lookAt: 0, readAllAt: 0, wereWordsLost: true });
    woken.resolve();
  };

  /** @returns Whether there is more to read than was read. */
  const beat = async () => {
    woken = Promise.withResolvers<void>();
    const who = joining;
    joining = [];
    try {
      await look(
        round,
        who.map(({ member }) => member),
      );
      for (const { resolve } of who) resolve();
    } catch (error) {
      for (const { reject } of who) reject(error);
      throw error;
    }
    await meet(round);
    return await readUnread(round);
  };

  const run = async () => {
    const unlisten = deps.hints.listen(hear);
    while (round.roster.members.size > 0 || joining.length > 0) {
      const begun = performance.now();
      const isBehind = await beat().catch(async (error: unknown) => {
        if (round.roster.members.size > 0) deps.onFault(error);
        await delay(LOOK_EVERY_MS);
        return true;
      });
      if (isBehind) continue;
      await Promise.race([woken.promise, until(round.lookAt)]);
      await until(begun + BEAT_MS);
    }
    unlisten();
    isRunning = false;
  };

  return {
    async open(filter) {
      const member = createTailMember(filter, (closed) => {
        round.roster.leave(closed);
        woken.resolve();
      });
      const admitted = new Promise<void>((resolve, reject) => {
        joining.push({ member, resolve, reject });
      });
      woken.resolve();
      if (!isRunning) {
        isRunning = true;
        void run();
      }
      await admitted;
      return member.reader;
    },
  };
}

const until = (moment: number) => delay(Math.max(0, moment - performance.now()));

/** Sees what is on hosts, when it is time to or somebody joins. */
async function look(round: Round, joining: readonly TailMember[]): Promise<void> {
  const { deps, roster } = round;
  if (joining.length === 0 && performance.now() < round.lookAt) return;
  if (round.wereWordsLost) await lookBack(round);
  const farm = joining.length === 0 ? null : await farmAtOnce(deps.db);
  const rows = farm?.rows ?? (await executionsOnHosts(deps.db));
  await learn(round, joining, rows);
  roster.seeAll(rows);
  for (const member of joining) {
    if (farm !== null && !member.isClosed) roster.admit(member, farm);
  }
  round.seenAt = performance.now();
  round.lookAt = round.seenAt + LOOK_EVERY_MS;
}

/** Asks for what may have begun and ended unseen. */
async function lookBack(round: Round): Promise<void> {
  // Before it is looked: words may be lost meanwhile as well.
  round.wereWordsLost = false;
  try {
    const seconds = (performance.now() - round.seenAt) / 1_000 + DEAF_FOR_SECONDS;
    for (const id of await endedLately(round.deps.db, seconds)) round.roster.asked.add(id);
  } catch (error) {
    round.wereWordsLost = true;
    throw error;
  }
}

/** Sees those of which there was a word. */
async function meet(round: Round): Promise<void> {
  const { deps, roster } = round;
  const ids = [...roster.asked];
  if (ids.length === 0) return;
  // Before it is looked: a word that comes meanwhile asks again.
  roster.asked.clear();
  try {
    const rows = await executionsByIds(deps.db, ids);
    await learn(round, [], rows);
    for (const row of rows) roster.see(row);
  } catch (error) {
    for (const id of ids) roster.asked.add(id);
    throw error;
  }
}

/** Finds out which expressions fit these tasks. */
async function learn(
  { roster, matches }: Round,
  joining: readonly TailMember[],
  rows: readonly TailedRow[],
): Promise<void> {
  const all = [...roster.members, ...joining];
  const expressions = new Set(all.flatMap(({ filter }) => filter.matches));
  matches.keep(expressions);
  const failed = await matches.learn(
    expressions,
    rows.map(({ taskId }) => taskId),
  );
  for (const { filter, reader } of all) {
    if (filter.matches.some((match) => failed.includes(match))) reader.close();
  }
}

/** Reads each log of which there may be more, once. @returns Whether there is still more. */
async function readUnread(round: Round): Promise<boolean> {
  const { roster } = round;
  if (performance.now() >= round.readAllAt) {
    for (const feed of roster.feeds.values()) roster.unread.add(feed);
    round.readAllAt = performance.now() + READ_ALL_EVERY_MS;
  }
  const feeds = [...roster.unread];
  let isBehind = false;
  for (let from = 0; from < feeds.length; from += LOGS_AT_ONCE) {
    isBehind = (await read(round, feeds.slice(from, from + LOGS_AT_ONCE))) || isBehind;
  }
  return isBehind;
}

async function read({ deps, roster }: Round, feeds: readonly TailFeed[]): Promise<boolean> {
  const begun = feeds.map((feed) => ({ feed, ended: feed.ended, after: feed.after }));
  // Before it is read: a word that comes meanwhile marks it again.
  for (const feed of feeds) roster.unread.delete(feed);
  const places = begun.map(({ feed: { of }, after }) => {
    return { executionId: of.id, day: of.logDay, after };
  });
  const stretches = await readStretches(deps.db, places).catch((error: unknown) => {
    for (const feed of feeds) roster.unread.add(feed);
    throw error;
  });
  for (const { feed, ended } of begun) {
    if (roster.feeds.get(feed.of.id) !== feed) continue;
    const stretch = stretches.get(feed.of.id);
    if (stretch !== undefined) await advance(feed, stretch);
    if (stretch?.isAll === false) roster.unread.add(feed);
    else if (ended !== null) {
      finish(feed, ended);
      roster.end(feed);
    }
  }
  return [...stretches.values()].some(({ isAll }) => !isAll);
}
