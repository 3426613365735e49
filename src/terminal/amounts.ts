const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `3 min ago`, `in 2 h`; the day itself where it is more than four weeks away. */
export function fromNow(at: Date, now: Date): string {
  const distance = at.getTime() - now.getTime();
  const size = Math.abs(distance);
  if (size < SECOND) return "now";
  if (size > 28 * DAY) return at.toISOString().slice(0, 10);
  const amount = roughly(size);
  return distance < 0 ? `${amount} ago` : `in ${amount}`;
}

function roughly(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** How long something took: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationWords(ms: number): string {
  if (ms < 10 * SECOND) return `${(Math.max(0, ms) / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return parts(ms, MINUTE, "min", SECOND, "s");
  if (ms < DAY) return parts(ms, HOUR, "h", MINUTE, "min");
  return parts(ms, DAY, "d", HOUR, "h");
}

function parts(ms: number, large: number, name: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  const whole = `${Math.floor(ms / large)} ${name}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smallName}`;
}
