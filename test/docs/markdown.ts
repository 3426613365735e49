/** A block of shell lines in a page, with what the page's source says about running it. */
export interface Example {
  /** The line of its first command, from 1. */
  line: number;
  text: string;
  /** Why it is not run; `null` when it is. */
  skipped: string | null;
  /** The test that runs it, where that needs another machine than the others. */
  runBy: string | null;
  /** The exit code that one command of it ends with; 0 when all end well. */
  exitCode: number;
}

const WORD = /^<!-- example: (?:not run, (.+)|run by (test\/\S+)|ends with (\d+)) -->$/;
const CONFIGURATION = "<!-- example: the configuration from here on -->";
const FENCE = /^(\s*)```(\w*)$/;

/**
 * The shell examples of a page: every block that begins with three backticks and `sh`. A line before
 * it may say `<!-- example: not run, REASON -->`, `<!-- example: run by TEST -->` or
 * `<!-- example: ends with CODE -->`. A block of
 * `toml` behind `<!-- example: the configuration from here on -->` is one that fastlane is started with.
 *
 * @throws {Error} If such a line says anything else, or is about no example.
 */
export function examplesOf(page: string): Example[] {
  const lines = page.split("\n");
  const examples: Example[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, indent = "", language] = FENCE.exec(lines[at] ?? "") ?? [];
    if (language === undefined) {
      const about = lines[at] === CONFIGURATION ? "toml" : "sh";
      if (lines[at]?.includes("<!-- example:") && FENCE.exec(lines[at + 1] ?? "")?.[2] !== about)
        throw new Error(`line ${at + 1} is about no example: ${lines[at]}`);
      continue;
    }
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end === -1) throw new Error(`the block of line ${at + 1} does not end`);
    const text = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    if (language === "sh") {
      examples.push({
        line: at + 2,
        text: text.join("\n"),
        ...saidBefore(lines[at - 1] ?? "", at),
      });
    } else if (lines[at - 1] === CONFIGURATION) {
      examples.push({
        line: at + 2,
        text: configured(text),
        skipped: null,
        runBy: null,
        exitCode: 0,
      });
    }
    at = end;
  }
  return examples;
}

function configured(toml: readonly string[]): string {
  const file = ["cat >/etc/fastlane/fastlane.toml <<'TOML'", ...toml, "TOML"];
  return [...file, "systemctl restart fastlane"].join("\n");
}

function saidBefore(line: string, number: number): Omit<Example, "line" | "text"> {
  if (!line.trim().startsWith("<!-- example:")) return { skipped: null, runBy: null, exitCode: 0 };
  const said = WORD.exec(line.trim());
  if (said === null) throw new Error(`line ${number} says nothing that is known: ${line}`);
  const [, skipped = null, runBy = null, exitCode] = said;
  return { skipped, runBy, exitCode: Number(exitCode ?? 0) };
}
