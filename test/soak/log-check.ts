/** What a stored log is, held against what must have been written. */
export interface LogVerdict {
  /** Bytes that were certainly written and are not stored. */
  missing: number;
  /** What stands there twice, or where it does not belong; `null` when nothing does. */
  disorder: string | null;
}

const SHOWN = 60;
const LINE_BEGIN = /(?=[oe] \d)/;

/**
 * Lines have numbers, so each can stand once, behind those below it. The end may be missing of what
 * was cut short.
 *
 * @param linesAtLeast So many lines have certainly been written; `null` for all, and the rest of the
 *   output behind them.
 */
export function judgeLog(
  stored: string,
  expected: string,
  linesAtLeast: number | null,
): LogVerdict {
  const certain = linesAtLeast === null ? expected.length : endOfLine(expected, linesAtLeast);
  if (expected.startsWith(stored)) {
    return { missing: Math.max(0, certain - stored.length), disorder: null };
  }
  const lines = stored.replace(/\n$/, "").split("\n");
  const places = new Map(expected.split("\n").map((line, place) => [line, place]));
  let last = -1;
  let known = 0;
  for (const [number, line] of lines.entries()) {
    const place = places.get(line);
    // A line of which a part was lost is missing as a whole; the next one may stand right behind it.
    if (place === undefined && line.split(LINE_BEGIN).every((part) => isPart(part, expected))) {
      continue;
    }
    if (place === undefined || place <= last) {
      const where = `line ${number + 1} is "${line.slice(0, SHOWN)}", ${line.length} bytes`;
      return { missing: 0, disorder: `${where}; before it "${shown(lines[number - 1])}"` };
    }
    last = place;
    known += line.length + 1;
  }
  return { missing: Math.max(1, certain - known), disorder: null };
}

function endOfLine(text: string, lines: number): number {
  let end = 0;
  for (let line = 0; line < lines; line++) {
    const newline = text.indexOf("\n", end);
    if (newline < 0) return text.length;
    end = newline + 1;
  }
  return end;
}

const isPart = (line: string, expected: string) => line !== "" && expected.includes(line);
const shown = (line: string | undefined) => line?.slice(0, SHOWN) ?? "nothing";
