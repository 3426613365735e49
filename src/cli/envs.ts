import { InvalidArgumentError } from "commander";
import { fileText } from "./payload-values.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of `--env-file`, and over them those of `--env`, as `docker run` has them. */
export function envsOf(
  files: readonly string[],
  given: readonly string[],
  environment: Environment,
): Record<string, string> {
  const lines = files.flatMap((file) =>
    fileText(file)
      .split(/\r?\n/)
      .filter((line) => !/^\s*(?:#|$)/.test(line)),
  );
  return Object.fromEntries([...lines, ...given].flatMap((text) => variable(text, environment)));
}

/** `NAME=VALUE`, or `NAME` for the value that it has here: none where it has none. */
function variable(text: string, environment: Environment): [string, string][] {
  const at = text.indexOf("=");
  if (at === 0) throw new InvalidArgumentError("A variable must be NAME=VALUE or NAME.");
  if (at > 0) return [[text.slice(0, at), text.slice(at + 1)]];
  const value = environment[text];
  return value === undefined ? [] : [[text, value]];
}

/** The names of `--env` that have no value here. */
export function unsetOf(given: readonly string[], environment: Environment): readonly string[] {
  return given.filter((text) => !text.includes("=") && environment[text] === undefined);
}
