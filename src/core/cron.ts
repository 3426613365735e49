import { Cron } from "croner";

/** A cron expression in a zone, as a calculator of moments: it keeps no time and starts nothing. */
export interface CronTimes {
  /** The first moment behind `from`; `null` when none will come. */
  next(from: Date): Date | null;
}

/**
 * Reads a cron expression of five fields, or of six with seconds in front.
 *
 * Where a clock is put forward, a fixed time that does not exist runs when the gap is over. Where it
 * is put back, a fixed time runs once, at its first occurrence. With `*` or a step in its seconds,
 * minutes or hours an expression is no fixed time: it runs on through both hours, and not for the gap.
 *
 * @param timezone An IANA name.
 * @throws {Error} When the expression or the zone is wrong, in croner's words.
 */
export function cronTimes(expression: string, timezone: string): CronTimes {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) {
    throw new Error(`a cron expression has five or six fields, not ${fields.length}`);
  }
  // By croner's other rule a list such as `30 2,3` is no fixed time: it runs twice, or not at all.
  const rules = { paused: true, timezone, fixedTimeRule: "no-wildcard" } as const;
  const cron = new Cron(fields.join(" "), rules);
  if (!isTimezone(timezone)) throw new Error(`"${timezone}" is no time zone`);
  return { next: (from) => cron.nextRun(from) };
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
