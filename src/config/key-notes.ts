import * as v from "valibot";
import { notesOf } from "./key.ts";
import { type Schema, shapeOf } from "./shape.ts";
import { tomlOf } from "./toml-value.ts";

/** What there is to tell of a key that is no table. */
export interface KeyNotes {
  /** A sentence without a full stop. */
  description: string;
  /** What is allowed, as "a whole number from 0 to 65535"; `null` where any text is. */
  rule: string | null;
  /** In TOML; `null` where there is none. */
  fallback: string | null;
  /** What counts without the key, where it has no default. */
  otherwise: string | null;
  /** In TOML; `null` where the default is one. */
  example: string | null;
  insteadOf: string | null;
  /** The table is wrong without it. */
  needed: boolean;
}

export function keyNotes(schema: Schema): KeyNotes {
  const { example, otherwise = null, insteadOf = null } = notesOf(schema);
  const fallback: unknown = "default" in schema ? schema.default : undefined;
  return {
    description: v.getDescription(schema) ?? "",
    rule: ruleOf(schema),
    fallback: fallback === undefined ? null : tomlOf(fallback),
    otherwise,
    example: example === undefined ? null : tomlOf(example),
    insteadOf,
    needed: schema.type !== "optional",
  };
}

interface Parts {
  wrapped?: object;
  pipe?: readonly object[];
  message?: unknown;
}

const ALLOWED = /^must be (.+)$/;
const ANY_TEXT = "a text";

/** The messages of our schemas say what is allowed: the last one counts, as the narrowest. */
function ruleOf(schema: Schema): string | null {
  const rules = messagesOf(schema).flatMap((message) => ALLOWED.exec(message)?.[1] ?? []);
  const rule = rules.at(-1);
  return rule === undefined || rule === ANY_TEXT ? null : rule;
}

function messagesOf(part: object): string[] {
  const { wrapped, pipe, message }: Parts = part;
  if (wrapped !== undefined) return messagesOf(wrapped);
  if (pipe !== undefined) return pipe.flatMap(messagesOf);
  return typeof message === "string" ? [message] : [];
}

/** Whether it is told of as a table of its own: `[retention]`, `[[dockerHosts]]`. */
export function isTableKey(schema: Schema): boolean {
  const shape = shapeOf(schema);
  return shape.kind === "list" ? isTableKey(shape.item) : shape.kind !== "value";
}
