import { expect, test } from "bun:test";
import { coloursFor } from "../../src/terminal/colours.ts";
import { type Column, cut, table } from "../../src/terminal/table.ts";

interface Row {
  task: string;
  count: number;
  note: string;
}
const ROWS: Row[] = [
  { task: "reports", count: 7, note: "all is well" },
  { task: "日本語", count: 1_200, note: "a rather long note that nobody needs whole" },
];
const COLUMNS: Column<Row>[] = [
  { head: "TASK", of: ({ task }) => task, least: 4 },
  { head: "COUNT", of: ({ count }) => String(count), align: "right" },
  { head: "NOTE", of: ({ note }) => note, least: 8, leaveOut: 1 },
];
const plain = coloursFor({ isTerminal: false, environment: {}, refused: false });
const bright = coloursFor({ isTerminal: true, environment: {}, refused: false });

test("columns are aligned by what their cells take on a terminal, and nothing is cut in a pipe", () => {
  expect(table(ROWS, COLUMNS, { columns: null, colours: plain })).toBe(
    [
      "TASK     COUNT  NOTE",
      "reports      7  all is well",
      "日本語    1200  a rather long note that nobody needs whole",
      "",
    ].join("\n"),
  );
});

test.each([60, 40, 30, 22, 16])("in %d columns no line is longer", (columns) => {
  const lines = table(ROWS, COLUMNS, { columns, colours: plain }).split("\n");

  for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
  expect(lines[2]).toContain("1200");
});

test("the widest column is cut first, and one that may be left out goes when it must", () => {
  const lines = (columns: number) => table(ROWS, COLUMNS, { columns, colours: plain }).split("\n");

  expect(lines(40)[2]).toBe("日本語    1200  a rather long note that…");
  expect(lines(16)).toEqual(["TASK     COUNT", "reports      7", "日本語    1200", ""]);
});

test("heads are dim and cells have their colours, which take no room", () => {
  const coloured = COLUMNS.map((column) => ({ ...column, paint: () => bright.red }));
  const text = table(ROWS, coloured, { columns: 40, colours: bright });

  expect(text).toContain("\u001b[2mTASK   \u001b[22m");
  expect(Bun.stripANSI(text)).toBe(table(ROWS, COLUMNS, { columns: 40, colours: plain }));
});

test("controls in a cell never reach the terminal", () => {
  const rows = [{ task: "a\u001b[2J\u202eb\nc", count: 1, note: "\u009b31m" }];

  const text = table(rows, COLUMNS, { columns: 80, colours: plain });

  expect(text).toBe("TASK              COUNT  NOTE\na [2J<U+202E>b c      1   31m\n");
});

test("a wide character that would be halved is left out", () => {
  expect(cut("日本語", 4)).toBe("日…");
  expect(cut("日本語", 6)).toBe("日本語");
});
