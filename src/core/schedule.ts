import { cronTimes } from "./cron.ts";

/** What a tick does while an earlier execution of its job has not ended. */
export type Overlap = "allow" | "skip" | "queue";
/** Which ticks run late that nobody could fire in time. */
export type CatchUp = "none" | "last" | "all";

export interface Schedule {
  /** `null` for a schedule of one moment. */
  cron: string | null;
  timezone: string;
  catchUp: CatchUp;
}

/** How much later than its time a tick is still fired as if nothing had been. */
const ON_TIME_MS = 30_000;

export interface Tick {
  at: Date;
  /** `catch up` runs it late; `missed` does not run it. */
  verdict: "run" | "catch up" | "missed";
  /** Why, for people. */
  reason: string;
}

/**
 * Judges the ticks that are due: each on its own, so that it does not matter how many wait, whose
 * fault it is, or whether the clock has jumped.
 *
 * @param nextAt The first tick that has not been judged.
 * @param most Ticks judged at once at most; the rest stays for the next call.
 * @returns The judged ones, oldest first, and the first that is left: `null` when none will come.
 */
export function judgeTicks(
  schedule: Schedule,
  nextAt: Date,
  now: Date,
  most = 200,
): { ticks: Tick[]; nextAt: Date | null } {
  const times = schedule.cron === null ? null : cronTimes(schedule.cron, schedule.timezone);
  const ticks: Tick[] = [];
  let at: Date | null = nextAt;
  while (at !== null && at <= now && ticks.length < most) {
    const next: Date | null = times?.next(at) ?? null;
    const isLatest = next === null || next > now;
    ticks.push(judge(schedule, at, now, isLatest));
    at = next;
  }
  return { ticks, nextAt: at };
}

function judge({ cron, catchUp }: Schedule, at: Date, now: Date, isLatest: boolean): Tick {
  const lateMs = now.getTime() - at.getTime();
  const late = `${(lateMs / 1_000).toFixed(1)} s after its time`;
  if (lateMs <= ON_TIME_MS) return { at, verdict: "run", reason: `Fired ${late}` };
  // What was asked for once, at a moment, is never dropped.
  if (cron === null || catchUp === "all" || (catchUp === "last" && isLatest)) {
    return { at, verdict: "catch up", reason: `Caught up ${late}: nobody could fire it before` };
  }
  const rule =
    catchUp === "last" ? 'catchUp is "last", and a later tick is due' : 'catchUp is "none"';
  return { at, verdict: "missed", reason: `Nobody could fire it until ${late}: ${rule}` };
}

/** The next moments of a cron expression behind `from`, as many as there are up to `count`. */
export function nextTimes(cron: string, timezone: string, from: Date, count: number): Date[] {
  const times = cronTimes(cron, timezone);
  const found: Date[] = [];
  for (let at = times.next(from); at !== null && found.length < count; at = times.next(at)) {
    found.push(at);
  }
  return found;
}
