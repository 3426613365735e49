import { LRUCache } from "lru-cache";
import { isOpen } from "../store/executions.ts";
import type { FarmAtOnce, TailedRow } from "../store/tailed.ts";
import type { Word } from "./hints.ts";
import { join, newFeed, type TailFeed } from "./tail-feed.ts";
import type { TailMember } from "./tail-reader.ts";

/** Executions that are over, of which a late word may come. */
const KEPT_ENDED = 20_000;

/** Which executions are followed, and by whom. */
export interface TailRoster {
  readonly members: ReadonlySet<TailMember>;
  readonly feeds: ReadonlyMap<string, TailFeed>;
  /** Of these logs there may be more. */
  readonly unread: Set<TailFeed>;
  /** Of these executions the row is to be looked at. */
  readonly asked: Set<string>;
  /** Notes what a word is about. */
  hear(word: Word): void;
  /** All that is on a host. */
  seeAll(rows: readonly TailedRow[]): void;
  /** One that there was a word of, whatever its state. */
  see(row: TailedRow): void;
  /** What is on a host then is told from its place at that moment on, what begins later whole. */
  admit(member: TailMember, farm: FarmAtOnce): void;
  leave(member: TailMember): void;
  /** An execution has been told to its end. */
  end(feed: TailFeed): void;
}

/** @param fits Whether an expression fits a task id. */
export function createTailRoster(
  fits: (expression: string, taskId: string) => boolean,
): TailRoster {
  const members = new Set<TailMember>();
  const feeds = new Map<string, TailFeed>();
  const unread = new Set<TailFeed>();
  const asked = new Set<string>();
  /** Those on hosts that nobody follows. */
  const others = new Set<string>();
  const over = new LRUCache<string, true>({ max: KEPT_ENDED });

  const wants = ({ filter }: TailMember, { taskId, host }: TailedRow) =>
    (filter.task === null || filter.task === taskId) &&
    (filter.hosts === null || (host !== null && filter.hosts.includes(host))) &&
    filter.matches.every((match) => fits(match, taskId));

  const follow = ({ id, taskId, jobId, host, logDay }: TailedRow, after: number): TailFeed => {
    const feed = feeds.get(id) ?? newFeed({ id, taskId, jobId, host, logDay }, after);
    feeds.set(id, feed);
    others.delete(id);
    unread.add(feed);
    return feed;
  };
  const drop = (feed: TailFeed) => {
    feeds.delete(feed.of.id);
    unread.delete(feed);
  };

  /** Nobody has been told of it: it is told from its first line on. */
  const meet = (row: TailedRow, who: readonly TailMember[]) => {
    const wanting = who.filter((member) => wants(member, row));
    for (const member of wanting) join(follow(row, 0), member, 0);
    if (wanting.length === 0) others.add(row.id);
  };
  const seeOnHost = (row: TailedRow) => {
    const feed = feeds.get(row.id);
    if (feed === undefined) return meet(row, [...members]);
    if (feed.of.host === row.host) return;
    feed.of = { ...feed.of, host: row.host };
    for (const member of feed.members.keys()) {
      if (!wants(member, row)) feed.members.delete(member);
    }
    if (feed.members.size > 0) return;
    drop(feed);
    others.add(row.id);
  };

  return {
    members,
    feeds,
    unread,
    asked,
    hear({ about, executions }) {
      for (const id of executions) {
        const feed = feeds.get(id);
        if (feed !== undefined) unread.add(feed);
        const isUnknown = feed === undefined && !others.has(id) && !over.has(id);
        if (isUnknown || (feed !== undefined && about === "ended")) asked.add(id);
      }
    },
    seeAll(rows) {
      others.clear();
      for (const row of rows) seeOnHost(row);
      const onHosts = new Set(rows.map(({ id }) => id));
      for (const id of feeds.keys()) if (!onHosts.has(id)) asked.add(id);
    },
    see(row) {
      if (row.status === "pulling" || row.status === "running") seeOnHost(row);
      if (isOpen(row.status)) return;
      // What nobody follows and has ended since a reader came has begun since then, too.
      const isSince = ({ joinedAt }: TailMember) => joinedAt < (row.finishedAt ?? 0);
      const isUntold = !feeds.has(row.id) && !over.has(row.id) && row.host !== null;
      if (isUntold) meet(row, [...members].filter(isSince));
      others.delete(row.id);
      const feed = feeds.get(row.id);
      if (feed === undefined) over.set(row.id, true);
      else feed.ended = row.status;
      if (feed !== undefined) unread.add(feed);
    },
    admit(member, { rows, at }) {
      member.joinedAt = at;
      for (const row of rows) {
        if (wants(member, row)) join(follow(row, row.logEnd), member, row.logEnd);
      }
      members.add(member);
    },
    leave(member) {
      members.delete(member);
      for (const feed of feeds.values()) {
        if (feed.members.delete(member) && feed.members.size === 0) drop(feed);
      }
    },
    end(feed) {
      drop(feed);
      over.set(feed.of.id, true);
    },
  };
}
