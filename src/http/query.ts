import * as v from "valibot";
import { parseDuration } from "../core/duration.ts";
import { AppError } from "../core/errors.ts";
import { LOG_STREAMS, type LogStream } from "../core/log-streams.ts";
import { Moment } from "../payload/moment.ts";
import type { HttpContext } from "./context.ts";

/**
 * A whole number of the query, or what stands in where it is absent.
 *
 * @throws {AppError} `query_invalid`, naming the key and what is allowed.
 */
export function wholeNumberOf<Absent extends number | null>(
  c: HttpContext,
  name: string,
  { min, max, absent }: { min: number; max: number; absent: Absent },
): number | Absent {
  const text = c.req.query(name);
  return text === undefined ? absent : wholeNumberIn(text, name, { min, max });
}

/** The same for a text of elsewhere. */
export function wholeNumberIn(
  text: string,
  name: string,
  { min, max }: { min: number; max: number },
): number {
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || value < min || value > max) {
    throw new AppError("query_invalid", `"${name}" must be a whole number from ${min} to ${max}`);
  }
  return value;
}

export function truthOf(c: HttpContext, name: string): boolean {
  const text = c.req.query(name) ?? "false";
  if (!["true", "false", "1", "0", ""].includes(text)) {
    throw new AppError("query_invalid", `"${name}" must be true or false`);
  }
  return text !== "false" && text !== "0";
}

/** The streams of a log that are named, each once; `null` where none is. */
export function streamsOf(c: HttpContext): LogStream[] | null {
  const named = c.req.queries("stream");
  if (named === undefined) return null;
  if (named.every((name) => LOG_STREAMS.some((stream) => stream === name))) {
    return LOG_STREAMS.filter((stream) => named.includes(stream));
  }
  throw new AppError("query_invalid", '"stream" must be stdout, stderr or pull');
}

/** A value of the query by its schema, `undefined` when it is absent. */
export function parsedOf<Schema extends v.GenericSchema<unknown, unknown>>(
  text: string | undefined,
  name: string,
  schema: Schema,
): v.InferOutput<Schema> | undefined {
  if (text === undefined) return undefined;
  const result = v.safeParse(schema, text);
  if (result.success) return result.output;
  throw new AppError("query_invalid", `"${name}" ${result.issues[0].message}`);
}

export function momentOf(c: HttpContext, name: string): Date | undefined {
  return parsedOf(c.req.query(name), name, Moment);
}

/** A moment, or how long before now it was: `10m`, `1h30m`. */
export function momentOrAgoOf(c: HttpContext, name: string): Date | null {
  const text = c.req.query(name);
  if (text === undefined) return null;
  const agoMs = parseDuration(text);
  if (agoMs !== null) return new Date(Math.max(0, Date.now() - agoMs));
  const result = v.safeParse(Moment, text);
  if (result.success) return result.output;
  throw new AppError(
    "query_invalid",
    `"${name}" must be how long ago, such as 10m or 1h30m, UNIX seconds, or ISO 8601 such as 2026-03-29T03:00:00Z`,
  );
}
