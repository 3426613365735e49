import { timeText } from "./amounts.ts";
import type { Tell } from "./finding.ts";

const OFF_MS = 1_000;
const FAR_OFF_MS = 30_000;

/** A clock that was read somewhere else. */
export interface ClockReading {
  /** What it said, in milliseconds since 1970. */
  theirs: number;
  /** When it was asked and when the answer was there, by this machine. */
  askedAt: number;
  answeredAt: number;
}

/** How far another clock is ahead of ours, in milliseconds; the half of the way is taken off. */
function skewOf({ theirs, askedAt, answeredAt }: ClockReading): number {
  return theirs - (askedAt + answeredAt) / 2;
}

/** @param whose As in "its clock". @param harm What follows from a clock that is off. */
export function judgeClock(tell: Tell, whose: string, reading: ClockReading, harm: string): void {
  const skewMs = skewOf(reading);
  const size = Math.abs(skewMs);
  // A slow way says that little about the clock.
  const unsureMs = (reading.answeredAt - reading.askedAt) / 2;
  if (size - unsureMs < OFF_MS) {
    tell.ok(`${whose} agrees with this machine's within ${timeText(Math.max(size, unsureMs))}`);
    return;
  }
  const message = `${whose} is ${timeText(size)} ${skewMs > 0 ? "ahead of" : "behind"} this machine's: ${harm}`;
  const advice = "have both set by NTP: systemd-timesyncd or chrony; timedatectl shows the state";
  if (size < FAR_OFF_MS) tell.warning(message, advice);
  else tell.problem(message, advice);
}
