import * as v from "valibot";
import { storableText } from "./text.ts";

const WRONG = "must be a UNIX timestamp in seconds, or ISO 8601 such as 2026-03-29T03:00:00Z";
/** The end of the year 9999. */
const LAST_SECOND = 253_402_300_799;
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?$/;

/** A moment as clients may write it; without an offset it is in UTC. */
export const Moment = v.pipe(
  v.union([v.number(WRONG), storableText(64)], WRONG),
  v.check((value) => momentOf(value) !== null, WRONG),
  v.transform((value) => momentOf(value) ?? new Date(0)),
);

function momentOf(value: number | string): Date | null {
  if (typeof value === "number") return ofSeconds(value);
  if (/^\d{1,12}(\.\d{1,6})?$/.test(value)) return ofSeconds(Number(value));
  const [whole, year, month, day, , offset] = ISO.exec(value) ?? [];
  if (whole === undefined) return null;
  // The 30th of February would be taken for the 2nd of March.
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCDate() !== Number(day) || date.getUTCMonth() !== Number(month) - 1) return null;
  const at = Date.parse(offset === undefined ? `${whole}Z` : whole);
  return Number.isNaN(at) ? null : ofSeconds(at / 1_000);
}

function ofSeconds(seconds: number): Date | null {
  const isInRange = seconds >= 0 && seconds <= LAST_SECOND;
  return isInRange ? new Date(Math.round(seconds * 1_000)) : null;
}
