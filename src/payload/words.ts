const SINGLE_QUOTED = "'([^']*)'";
const DOUBLE_QUOTED = '"([^"\\\\]*(?:\\\\[^][^"\\\\]*)*)"';
const ESCAPED = "\\\\([^])";
const PLAIN = "([^ \\t\\n'\"\\\\]+)";
const BLANK = "([ \\t\\n]+)";
const PIECE = new RegExp([SINGLE_QUOTED, DOUBLE_QUOTED, ESCAPED, PLAIN, BLANK].join("|"), "gy");

/**
 * A command line's words as a POSIX shell splits them (XCU 2.2), with nothing expanded: `$`, `#`,
 * `*` and operators are characters like others.
 *
 * The packages for this treat `\$` and a line's continuation inside double quotes, or `$'...'`,
 * otherwise than a shell does.
 *
 * @returns `null` when a quote or an escape is left open.
 */
export function splitWords(text: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let end = 0;
  for (const [piece, single, double, escaped, plain, blank] of text.matchAll(PIECE)) {
    end += piece.length;
    if (blank !== undefined) {
      if (word !== null) words.push(word);
      word = null;
    } else if (escaped !== "\n") {
      word = (word ?? "") + (single ?? unescaped(double) ?? escaped ?? plain ?? "");
    }
  }
  if (end < text.length) return null;
  return word === null ? words : [...words, word];
}

/** The words as one line that a shell splits into them again. */
export function joinWords(words: readonly string[]): string {
  const quoted = words.map((word) =>
    /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`,
  );
  return quoted.join(" ");
}

/** Inside double quotes a backslash escapes these alone, and stays before all else. */
function unescaped(double: string | undefined): string | undefined {
  return double?.replace(/\\([$`"\\\n])/g, (_, character: string) =>
    character === "\n" ? "" : character,
  );
}
