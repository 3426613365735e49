const DURATION = /^(?:(\d{1,7})h)?(?:(\d{1,9})m)?(?:(\d{1,11})s)?$/;

/**
 * Reads a duration such as `2h30m50s`, any part left out.
 *
 * @returns Milliseconds; `null` when the text is none.
 */
export function parseDuration(text: string): number | null {
  const [whole, hours, minutes, seconds] = DURATION.exec(text) ?? [];
  if (whole === undefined || whole === "") return null;
  const total = Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  return total * 1_000;
}

const MS_OF_A_DAY = 86_400_000;

/** The same for what may be long: days go before the rest, as in `90d` or `1d12h`. */
export function parseLongDuration(text: string): number | null {
  const [, days, rest = ""] = /^(?:(\d{1,5})d)?(.*)$/.exec(text) ?? [];
  if (days === undefined) return parseDuration(text);
  const restMs = rest === "" ? 0 : parseDuration(rest);
  return restMs === null ? null : Number(days) * MS_OF_A_DAY + restMs;
}
