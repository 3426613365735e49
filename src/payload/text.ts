import * as v from "valibot";

/**
 * A string that Postgres can keep and Docker can be given: no NUL, no half of a surrogate pair.
 *
 * @param maxLength In UTF-16 units.
 */
export function storableText(maxLength: number) {
  return v.pipe(
    v.string("must be a string"),
    v.maxLength(maxLength, `must have at most ${maxLength} characters`),
    v.check((text) => !text.includes("\u0000"), "must not have a NUL character"),
    v.check((text) => text.isWellFormed(), "must be well-formed Unicode"),
  );
}

/** How deep objects and arrays lie in each other in a JSON text; strings do not count. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inString) {
      if (character === "\\") i += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth -= 1;
  }
  return deepest;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** jsonb takes neither NUL nor half a surrogate pair, at any depth. */
export function isStorableJson(value: unknown): boolean {
  // JSON.stringify writes both as escapes, so the escaped text shows them wherever they stand.
  return !/(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(JSON.stringify(value));
}
