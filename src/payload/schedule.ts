import * as v from "valibot";
import { cronTimes, isTimezone } from "../core/cron.ts";
import { parseDuration } from "../core/duration.ts";
import { messageOf } from "../core/errors.ts";
import type { CatchUp, Overlap } from "../core/schedule.ts";
import { oneOf, shortText } from "./limits.ts";
import { Moment } from "./moment.ts";

export const ONE_SCHEDULE = "Only ONE of 'startAt', 'startIn' and 'cron' should be in the request.";

const TEN_YEARS_MS = 10 * 366 * 24 * 3_600_000;

const Duration = v.pipe(
  shortText(32),
  v.check(
    (text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= TEN_YEARS_MS,
    "must be a duration such as 2h30m50s, 10s or 240h, of ten years at most",
  ),
  v.transform((text) => parseDuration(text) ?? 0),
);

const Timezone = v.pipe(
  shortText(64),
  v.check(isTimezone, "must be an IANA time zone such as Europe/Berlin"),
);

/** The keys that say when a job runs; the expression of `cron` is checked with its zone. */
export const SCHEDULE_KEYS = {
  startIn: v.nullish(
    v.pipe(Duration, v.description("how long from now: 2h30m50s, any part left out")),
  ),
  startAt: v.nullish(v.pipe(Moment, v.description("when it runs once; in the past means now"))),
  cron: v.nullish(
    v.pipe(
      shortText(200),
      v.description("five fields, or six with seconds in front"),
      v.examples(["*/5 * * * *"]),
    ),
  ),
  timezone: v.optional(
    v.pipe(Timezone, v.description("the zone of cron, by its IANA name; UTC when absent")),
  ),
  overlap: v.optional(
    v.pipe(
      oneOf("allow", "skip", "queue"),
      v.description(
        "what a tick of cron does while an earlier execution has not ended: run beside it (when absent), not run, or run after it",
      ),
    ),
  ),
  catchUp: v.optional(
    v.pipe(
      oneOf("none", "last", "all"),
      v.description(
        "which ticks of cron run late when nobody could fire them in time; none when absent",
      ),
    ),
  ),
};

interface ScheduleInput {
  startIn?: number | null | undefined;
  startAt?: Date | null | undefined;
  cron?: string | null | undefined;
  timezone?: string | undefined;
  overlap?: Overlap | undefined;
  catchUp?: CatchUp | undefined;
}

/** When a job runs: at once, once at a moment, or by cron. */
export type When =
  | { kind: "now" }
  | { kind: "in"; delayMs: number }
  | { kind: "at"; at: Date }
  | { kind: "cron"; cron: string; timezone: string; overlap: Overlap; catchUp: CatchUp };

/** @returns What is wrong with the keys together, by the key that it is told of. */
export function scheduleFault(input: ScheduleInput): { key: string; message: string } | null {
  const given = [input.startIn, input.startAt, input.cron].filter((value) => value != null);
  if (given.length > 1) return { key: "cron", message: ONE_SCHEDULE };
  if (input.cron == null) {
    const alone = (["timezone", "overlap", "catchUp"] as const).find((key) => input[key]);
    return alone === undefined ? null : { key: alone, message: "must come with cron" };
  }
  try {
    if (cronTimes(input.cron, input.timezone ?? "UTC").next(new Date()) !== null) return null;
    return { key: "cron", message: "must name a time that comes: this one never does" };
  } catch (error) {
    // Without croner's own count of months and days, which begins at 0.
    const words = messageOf(error).replace(/^CronPattern: |: \d+$/g, "");
    return { key: "cron", message: `must be a cron expression of five or six fields: ${words}` };
  }
}

export function whenOf(input: ScheduleInput, now: Date): When {
  const { startIn, startAt, cron } = input;
  if (startIn != null) return startIn === 0 ? { kind: "now" } : { kind: "in", delayMs: startIn };
  if (startAt != null) return startAt <= now ? { kind: "now" } : { kind: "at", at: startAt };
  if (cron == null) return { kind: "now" };
  const { timezone = "UTC", overlap = "allow", catchUp = "none" } = input;
  return { kind: "cron", cron, timezone, overlap, catchUp };
}
