import * as v from "valibot";
import { storableText } from "./text.ts";

export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
}

/** A text of 1 to `maxLength` characters. */
export function shortText(maxLength: number) {
  return v.pipe(storableText(maxLength), v.nonEmpty("must not be empty"));
}

export function listOf<Item extends v.GenericSchema>(item: Item, maxLength: number) {
  return v.pipe(
    v.array(item, "must be a list"),
    v.maxLength(maxLength, `must have at most ${maxLength} items`),
  );
}

/** An object with these keys and no others; a wrong key is named. */
export function exactObject<Entries extends v.ObjectEntries>(entries: Entries) {
  const known = Object.keys(entries).join(", ");
  const exact = v.strictObject(entries, ({ expected }) => {
    if (expected === "never") return `is not a known key; the keys are ${known}`;
    // Of a key that is missing valibot expects its name, in quotation marks.
    return expected?.startsWith('"') ? "must be given" : "must be an object";
  });
  const run: (typeof exact)["~run"] = (dataset, config) =>
    // valibot takes a list for an object: to it this is none.
    exact["~run"](Array.isArray(dataset.value) ? { value: null } : dataset, config);
  return { ...exact, "~run": run };
}

/** One of these words. */
export function oneOf<const Words extends readonly [string, string, ...string[]]>(...words: Words) {
  const quoted = words.map((word) => `"${word}"`);
  return v.picklist(words, `must be ${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`);
}
