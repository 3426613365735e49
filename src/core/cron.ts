import { Cron } from "croner";

const HOUR_FIELD_FROM_END = 4;
/** No clock is put back by more than this. */
const LONGEST_OVERLAP_MS = 3_600_000;
const OVERLAP_STEP_MS = 1_800_000;

/** A cron expression in a zone, as a calculator of moments: it keeps no time and starts nothing. */
export interface CronTimes {
  /** The first moment behind `from`; `null` when none will come. */
  next(from: Date): Date | null;
}

/**
 * Reads a cron expression of five fields, or of six with seconds in front.
 *
 * Where a clock is put forward, a time that does not exist runs when the gap is over. Where it is
 * put back, a fixed time runs once, at its first occurrence; `*` and steps of it run on through both hours.
 *
 * @param timezone An IANA name.
 * @throws {Error} When the expression or the zone is wrong, in croner's words.
 */
export function cronTimes(expression: string, timezone: string): CronTimes {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) {
    throw new Error(`a cron expression has five or six fields, not ${fields.length}`);
  }
  const cron = new Cron(fields.join(" "), { paused: true, timezone });
  const hour = fields.at(-HOUR_FIELD_FROM_END) ?? "*";
  const repeats = wallClockRepeats(timezone);
  // croner runs a list of hours (`30 2,3 * * *`) in both of two hours that are called the same.
  const isRepeat = hour.startsWith("*") ? () => false : repeats;
  return {
    next(from) {
      let at = cron.nextRun(from);
      while (at !== null && isRepeat(at)) at = cron.nextRun(at);
      return at;
    },
  };
}

/** Whether a zone's clocks showed the same time, to the second, a short while before. */
function wallClockRepeats(timezone: string): (at: Date) => boolean {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  return (at) => {
    const shown = format.format(at);
    for (let back = OVERLAP_STEP_MS; back <= LONGEST_OVERLAP_MS; back += OVERLAP_STEP_MS) {
      if (format.format(at.getTime() - back) === shown) return true;
    }
    return false;
  };
}

export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    // Offsets are taken too by newer engines, but they know no daylight saving.
    return !/^[+-]/.test(name);
  } catch {
    return false;
  }
}

/** A moment as a zone's clocks show it, with their offset from UTC: `2026-03-29T03:00:00+02:00`. */
export function localTime(at: Date, timezone: string): string {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: timezone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  const shown = format.format(at).replace(" ", "T");
  const shownAsUtc = Date.parse(`${shown}Z`);
  const offset = Math.round((shownAsUtc - Math.floor(at.getTime() / 1_000) * 1_000) / 60_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const size = Math.abs(offset);
  return `${shown}${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
