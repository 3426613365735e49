import { InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../core/duration.ts";
import { STATUSES } from "../core/status.ts";

/*
 * Flags that several commands have, checked before anything is asked.
 */

/** A moment, or how long before now: told to the server as ISO 8601. */
export function sinceOption(flags: string, what: string): Option {
  const ways = "10m, 1h30m, UNIX seconds or ISO 8601";
  return new Option(`${flags} <time>`, `${what}: ${ways}`).argParser((text) => {
    const agoMs = parseDuration(text);
    if (agoMs !== null) return new Date(Date.now() - agoMs).toISOString();
    if (/^\d{1,12}(\.\d+)?$/.test(text) || !Number.isNaN(Date.parse(text))) return text;
    throw new InvalidArgumentError(`It must be one of ${ways}.`);
  });
}

/** A moment to come, or how long from now. */
export function laterOption(flags: string, what: string): Option {
  return new Option(`${flags} <time>`, what).argParser((text) => {
    const inMs = parseDuration(text);
    if (inMs !== null) return new Date(Date.now() + inMs).toISOString();
    if (!Number.isNaN(Date.parse(text))) return text;
    throw new InvalidArgumentError("It must be how long from now, such as 10m, or ISO 8601.");
  });
}

export function numberOption(flags: string, what: string, max: number): Option {
  return new Option(`${flags} <number>`, what).argParser((text) => {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  });
}

/** One or several, with commas between them. */
export function statusOption(): Option {
  const allowed = STATUSES.join(", ");
  return new Option("--status <names>", `some of ${allowed}, with commas`).argParser((text) => {
    if (text.split(",").every((name) => STATUSES.some((status) => status === name))) return text;
    throw new InvalidArgumentError(`It must be some of ${allowed}, with commas between them.`);
  });
}

export function secondsOf(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,5}(\.\d{1,3})?$/.test(text) && seconds >= 0.1) return seconds;
  throw new InvalidArgumentError("It must be a number of seconds from 0.1 on.");
}
