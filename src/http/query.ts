import * as v from "valibot";
import { AppError } from "../core/errors.ts";
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
  if (text === undefined) return absent;
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
