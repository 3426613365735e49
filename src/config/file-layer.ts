import { isUtf8 } from "node:buffer";
import { existsSync } from "node:fs";
import { parse as parseToml, TomlError } from "smol-toml";
import { messageOf } from "../core/errors.ts";
import { ConfigError, type Path, UnreadableFile } from "./fault.ts";
import { readBytes } from "./read-bytes.ts";
import { linesOf } from "./toml-lines.ts";
import { whyUnreadable } from "./unreadable.ts";

const SYSTEM_FILE = "/etc/fastlane/fastlane.toml";
const MOST_BYTES = 16 * 1024 * 1024;

/** What the configuration file says. */
export interface FileLayer {
  path: string;
  values: Record<string, unknown>;
  /** `FILE:3`, for a key or the nearest one around it. */
  placeOf(path: Path): string;
}

/**
 * @param named The system's file when absent.
 * @returns `null` where none is named and the system has none.
 * @throws {ConfigError} Where it cannot be read, or is no TOML.
 */
export function readConfigFile(named: string | undefined): FileLayer | null {
  const path = named ?? SYSTEM_FILE;
  if (named === undefined && !existsSync(path)) return null;
  const text = textOf(path);
  const values = valuesOf(path, text);
  let lineOf: ((path: Path) => number) | undefined;
  const placeOf = (key: Path) => {
    lineOf ??= linesOf(text);
    return `${path}:${lineOf(key)}`;
  };
  return { path, values, placeOf };
}

function textOf(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readBytes(path, MOST_BYTES);
  } catch (error) {
    throw new UnreadableFile([
      `Cannot read the configuration file "${path}": ${whyUnreadable(error)}`,
    ]);
  }
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  const lines = bytes.toString("latin1").split("\n");
  const wrong = lines.findIndex((line) => !isUtf8(Buffer.from(line, "latin1")));
  throw new ConfigError([`${path}:${wrong + 1}: must be a text in UTF-8`]);
}

function valuesOf(path: string, text: string): Record<string, unknown> {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) {
      throw new ConfigError([`${path}: is too large or too deeply nested to be read`]);
    }
    // Its first line alone: then the parser quotes lines of the file, which may be a password's.
    const [first = ""] = messageOf(error).split("\n");
    const what = first.replace("Invalid TOML document: ", "").replace(/\.$/, "");
    const why = WORDS[what] ?? what;
    throw new ConfigError([`${path}:${error.line}:${error.column}: is no valid TOML here: ${why}`]);
  }
}

/** What the parser says in words of its own trade. */
const WORDS: Record<string, string> = {
  "control characters are not allowed in strings": "a text that is not closed on its line",
  "invalid value": "no value; texts stand in quotes",
  "illegal character in key": "a character that no key may have",
  "illegal leading zero": "a number with a zero before it; texts stand in quotes",
  "illegal character in numeric literal":
    "a number with something else in it; texts stand in quotes",
  "unfinished numeric value": "a number that is not complete; texts stand in quotes",
  "integer value cannot be represented losslessly": "a number that is too large",
  "trying to redefine an already defined value": "a key or table that was given before",
  "trying to redefine an already defined table or value": "a key or table that was given before",
  "document contains excessively nested structures. aborting":
    "too many lists or tables in each other",
  "incomplete key-value: cannot find end of key": "a key without a value",
  "each key-value declaration must be followed by an end-of-line":
    "something behind a value; texts stand in quotes, and each key in a line of its own",
  "expected comma or end of structure": "no comma or end of a list or table",
  "unfinished array": "a list that is not closed",
  "unfinished table": "a table that is not closed",
  "unfinished string": "a text that is not closed",
  "illegal empty bare key": "a key without a name",
  "unexpected end of key": "a key without a value",
  "document contains an unsafe property": "a name that no key may have",
};
