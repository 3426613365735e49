import * as v from "valibot";
import type { Schema } from "./shape.ts";

/** What else there is to say of a key, for those who print or look for it. */
export interface Notes {
  /** Where there is no default: a value that a reader may take as it is. */
  example?: unknown;
  /** What counts without the key, where that is no fixed value. */
  otherwise?: string;
  /** The key beside it in whose place it stands: one of both is given. */
  insteadOf?: string;
  /** Its value is never shown; of a file, what is in it. */
  secret?: true;
  /** It names a file, which is read when the service starts, or whenever a host is connected to. */
  file?: "start" | "connection";
  /** Of a table that has tables by name: examples of names, each with the keys that it may have. */
  names?: Readonly<Record<string, readonly string[]>>;
}

/**
 * One key of the configuration: `port: key("Port of the HTTP API", v.optional(...))`.
 *
 * @param description A sentence without a full stop; the rule, unit and default are told beside it.
 */
export const key = <S extends Schema>(description: string, schema: S, notes: Notes = {}) =>
  v.pipe(schema, v.description(description), v.metadata({ ...notes }));

export function notesOf(schema: Schema): Notes {
  return v.getMetadata(schema);
}
