import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { parseDuration } from "../core/duration.ts";
import { messageOf } from "../core/errors.ts";

/*
 * How the values of flags become those of a payload's keys. What the server checks is left to it:
 * here only what has another form on a command line. An error never repeats what a secret may be in.
 */

export const more = (value: string, before: readonly string[] = []) => [...before, value];

export function number(text: string): number {
  if (text.trim() === "" || !Number.isFinite(Number(text))) {
    throw new InvalidArgumentError("It must be a number.");
  }
  return Number(text);
}

export function numbers(text: string): number[] {
  return text.split(",").map(number);
}

/** UNIX seconds, or what the server reads as a time. */
export function moment(text: string): number | string {
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}

/** Seconds, or a duration such as `30m`. */
export function seconds(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : durationMs(text) / 1_000;
}

/** Milliseconds of `1h30m`, `10s` or `500ms`. */
export function durationMs(text: string): number {
  const [, count] = /^(\d{1,9})ms$/.exec(text) ?? [];
  const ms = count === undefined ? parseDuration(text) : Number(count);
  if (ms !== null) return ms;
  throw new InvalidArgumentError("It must be a duration such as 2h30m50s, 10s or 500ms.");
}

/** `NAME:ADDRESS`, also of IPv6, as `docker run` has it. */
export function hostEntry(text: string): [string, string] {
  const [, name, address] = /^([^:=]+)[:=]\[?([^\]]+)\]?$/.exec(text) ?? [];
  if (name !== undefined && address !== undefined) return [name, address];
  throw new InvalidArgumentError("It must be NAME:ADDRESS.");
}

/** A JSON object, or `KEY=VALUE`. */
export function metadataOf(text: string): Record<string, unknown> {
  if (text.trimStart().startsWith("{")) {
    return jsonObject(text, "It must be a JSON object or KEY=VALUE.");
  }
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be a JSON object or KEY=VALUE.");
  return { [text.slice(0, at)]: text.slice(at + 1) };
}

const EVENT = /^(starts|succeeds|fails|finishes)=(.+)$/s;

/** `EVENT=WHAT`; what has no event is told of the end, however it is. */
export function eventAnd(text: string): [string, string] {
  const [, event = "finishes", what = text] = EVENT.exec(text) ?? [];
  return [event, what];
}

export function fileObject(path: string): Record<string, unknown> {
  return jsonObject(fileText(path), `${path === "-" ? "stdin" : path} must have a JSON object.`);
}

/** @param path `-` is standard input. */
export function fileText(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    throw new InvalidArgumentError(`It cannot be read: ${messageOf(error)}`);
  }
}

function jsonObject(text: string, wrong: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // The parser's own words quote the text.
  }
  throw new InvalidArgumentError(wrong);
}
