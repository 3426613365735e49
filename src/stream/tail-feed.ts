import { setImmediate } from "node:timers/promises";
import type { NumberedFrame } from "../core/log-frames.ts";
import { type Carry, decodeFrames, type TextFrame, textsAtTheEnd } from "../core/log-text.ts";
import type { Status } from "../core/status.ts";
import { type BegunLines, unendedLines, wholeLines } from "../core/whole-lines.ts";
import type { LogHole, LogStretch } from "../store/read-frames.ts";
import type { TailEntry, Tailed } from "./tail-queue.ts";
import type { TailMember } from "./tail-reader.ts";

const LINES_AT_ONCE = 1_000;

/** One execution's log on its way to those who follow it. It is read once for all of them. */
export interface TailFeed {
  of: Tailed;
  /** The number of the last frame that was read. */
  after: number;
  /** With the number of the frame behind which each of them is told. */
  members: Map<TailMember, number>;
  /** How it has ended: what is stored of its log is all. */
  ended: Status | null;
  carry: Carry;
  begun: BegunLines;
  last: NumberedFrame | null;
}

export function newFeed(of: Tailed, after: number): TailFeed {
  return { of, after, members: new Map(), ended: null, carry: {}, begun: {}, last: null };
}

export function join(feed: TailFeed, member: TailMember, after: number): void {
  feed.members.set(member, after);
  member.tell({ kind: "began", of: feed.of });
}

/** Tells what was read behind the feed's place, at the pace of those who can keep up. */
export async function advance(feed: TailFeed, stretch: LogStretch): Promise<void> {
  const { texts, carry } = decodeFrames(stretch.frames, feed.carry);
  const { lines, begun } = wholeLines(texts, feed.begun);
  feed.carry = carry;
  feed.begun = begun;
  feed.after = stretch.to;
  feed.last = stretch.frames.at(-1) ?? feed.last;
  const holes = [...stretch.holes];
  for (let from = 0; from < lines.length; from += LINES_AT_ONCE) {
    for (const line of lines.slice(from, from + LINES_AT_ONCE)) {
      while ((holes[0]?.before ?? Number.POSITIVE_INFINITY) <= line.seq) {
        tellGap(feed, holes.shift());
      }
      tellLine(feed, line);
    }
    // What is told leaves only when the sockets have their turn.
    if (from + LINES_AT_ONCE < lines.length) await setImmediate();
    await Promise.all([...feed.members.keys()].map((member) => member.giveWay()));
  }
  for (const hole of holes) tellGap(feed, hole);
}

/** Tells what has no end, and the end. */
export function finish(feed: TailFeed, status: Status): void {
  const rest = feed.last === null ? [] : textsAtTheEnd(feed.last, feed.carry);
  const { lines, begun } = wholeLines(rest, feed.begun);
  for (const line of [...lines, ...unendedLines(begun)]) tellLine(feed, line);
  for (const member of feed.members.keys()) member.tell({ kind: "ended", of: feed.of, status });
}

function tellLine({ of, members }: TailFeed, line: TextFrame): void {
  const entry: TailEntry = { kind: "line", of, line };
  for (const [member, after] of members) {
    if (line.seq > after && member.filter.streams.includes(line.stream)) member.tell(entry);
  }
}

function tellGap({ of, members }: TailFeed, hole: LogHole | undefined): void {
  if (hole === undefined) return;
  const entry: TailEntry = { kind: "gap", of, seq: hole.before - 1, frames: hole.frames };
  for (const [member, after] of members) if (entry.seq > after) member.tell(entry);
}
