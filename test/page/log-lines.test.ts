import { expect, test } from "bun:test";
import fc from "fast-check";
import { LOG_STREAMS } from "../../src/core/log-streams.ts";
import type { LogFrame } from "../../src/page/frames.ts";
import { LogLines } from "../../src/page/log-lines.ts";

const AT = "2026-11-24T15:00:00.123Z";
const frame = (data: string, stream: LogFrame["stream"] = "stdout"): LogFrame => ({
  seq: 1,
  stream,
  at: AT,
  data,
});
const linesOf = (...frames: LogFrame[]) => {
  const lines = new LogLines();
  for (const one of frames) lines.add(one);
  return lines;
};
const plain = (lines: LogLines) =>
  Array.from({ length: lines.count }, (_, row) => [lines.kind(row), lines.plain(row)]);

test("parts of a line are one line again, whatever other streams write in between", () => {
  const lines = linesOf(frame("a"), frame("err\n", "stderr"), frame("b"), frame("c\n"), frame("d"));

  expect(plain(lines)).toEqual([
    ["stdout", "abc"],
    ["stderr", "err"],
    ["stdout", "d"],
  ]);
});

test("whatever the frames are, each stream's lines are what it wrote", () => {
  const some = fc.record({
    stream: fc.constantFrom(...LOG_STREAMS),
    data: fc.string({ unit: fc.constantFrom("a", "é", "𝄞", "\n", " "), maxLength: 8 }),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 40 }), (written) => {
      const lines = linesOf(...written.map(({ data, stream }) => frame(data, stream)));
      for (const stream of LOG_STREAMS) {
        const shown = plain(lines).filter(([kind]) => kind === stream);
        const whole = written.filter((one) => one.stream === stream).map(({ data }) => data);
        const expected = whole.join("").replace(/\n$/, "");
        const hasAny = whole.join("") !== "";
        expect(shown.map(([, text]) => text)).toEqual(hasAny ? expected.split("\n") : []);
      }
    }),
    { numRuns: 500 },
  );
});

test("a very long line is in several rows, of which the first alone begins one", () => {
  const text = `${"x".repeat(40_000)}𝄞${"y".repeat(20_000)}`;
  const parts = text.match(/.{1,16383}/gu) ?? [];

  const lines = linesOf(...parts.map((part) => frame(part)), frame("\n"), frame("next\n"));

  const rows = Array.from({ length: lines.count }, (_, row) => lines.line(row));
  expect(
    rows
      .slice(0, -1)
      .map((_, row) => lines.plain(row))
      .join(""),
  ).toBe(text);
  expect(rows.map(({ number }) => number)).toEqual([1, null, null, null, 2]);
  expect(lines.plain(lines.count - 1)).toBe("next");
});

test("a colour goes on in the next line of its stream, and in no other stream", () => {
  const red = "\u001b[31m";

  const lines = linesOf(
    frame(`${red}a\n`),
    frame("e\n", "stderr"),
    frame("b\u001b[0m\n"),
    frame("c\n"),
  );

  const colours = Array.from(
    { length: 4 },
    (_, row) => lines.line(row).pieces[0]?.style.foreground,
  );
  expect(colours).toEqual([1, null, 1, null]);
});

test("a sequence that is cut by a frame or a row is dropped whole", () => {
  const filling = "x".repeat(16_380);

  const lines = linesOf(
    frame("a\u001b]8;;htt"),
    frame("ps://x\u0007b\n"),
    frame(`${filling}\u001b]0;title\u0007c\n`),
  );

  expect(lines.plain(0)).toBe("ab");
  expect(lines.plain(1) + lines.plain(2)).toBe(`${filling}c`);
});

test("it says which rows are other than before", () => {
  const lines = linesOf(frame("a\n"), frame("b"));

  expect(lines.add(frame("err\n", "stderr"))).toBe(2);
  expect(lines.add(frame("c\nd\n"))).toBe(1);
  expect(plain(lines).map(([, text]) => text)).toEqual(["a", "bc", "err", "d"]);
});

test("what was left out is told of in its place", () => {
  const lines = linesOf(frame("a\n"));
  lines.addGap({ seq: 2, gap: { bytes: 12_345, lines: 4 } });
  lines.add(frame("b\n"));

  expect(plain(lines)[1]).toEqual([
    "gap",
    "4 lines (12,345 bytes) left out here: the log is too long",
  ]);
  expect([0, 1, 2].map((row) => lines.line(row).number)).toEqual([1, null, 6]);
});

test("of too many lines the oldest go, and those that stay keep number, colour and rest", () => {
  const lines = new LogLines({ lines: 100, characters: 1_000_000 });
  lines.add(frame("open", "stderr"));
  for (let row = 1; row < 100; row++) lines.add(frame(`\u001b[${30 + (row % 8)}mline ${row}\n`));
  lines.add(frame("partly"));

  const gone = lines.dropOldest();
  lines.add(frame(" whole\n"));
  lines.add(frame(" again\n", "stderr"));

  expect([gone, lines.dropped, lines.count]).toEqual([26, 26, 76]);
  expect(lines.line(0)).toMatchObject({
    number: 27,
    pieces: [{ text: "line 26", style: { foreground: 2 } }],
  });
  expect(
    plain(lines)
      .slice(-2)
      .map(([, text]) => text),
  ).toEqual(["partly whole", " again"]);
  expect(lines.dropOldest()).toBe(0);
});
