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
