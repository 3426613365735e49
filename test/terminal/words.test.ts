import { expect, test } from "bun:test";
import { bytesWords } from "../../src/core/amounts.ts";
import { durationWords, fromNow } from "../../src/terminal/amounts.ts";
import { bar } from "../../src/terminal/bar.ts";
import { wantsColours } from "../../src/terminal/colours.ts";
import { safeJson } from "../../src/terminal/safe-json.ts";

const NOW = new Date("2030-03-29T12:00:00Z");

test.each([
  ["2030-03-29T11:59:59.500Z", "now"],
  ["2030-03-29T11:59:48Z", "12 s ago"],
  ["2030-03-29T11:57:00Z", "3 min ago"],
  ["2030-03-29T10:00:00Z", "2 h ago"],
  ["2030-03-26T12:00:00Z", "3 d ago"],
  ["2029-03-29T12:00:00Z", "2029-03-29"],
  ["2030-03-29T14:00:00Z", "in 2 h"],
])("%s is %s", (at, words) => {
  expect(fromNow(new Date(at), NOW)).toBe(words);
});

test.each([
  [-5, "0.0 s"],
  [420, "0.4 s"],
  [12_300, "12 s"],
  [185_000, "3 min 5 s"],
  [180_000, "3 min"],
  [7_500_000, "2 h 5 min"],
  [273_600_000, "3 d 4 h"],
])("%d ms are %s", (ms, words) => {
  expect(durationWords(ms)).toBe(words);
});

test.each([
  [0, "0 B"],
  [1_023, "1023 B"],
  [1_024, "1.0 KiB"],
  [5_242_880, "5.0 MiB"],
  [2 ** 50, "1024.0 TiB"],
])("%d bytes are %s", (bytes, words) => {
  expect(bytesWords(bytes)).toBe(words);
});

test.each([
  [8, 20, "████░░░░ 8/20"],
  [0, 20, "░░░░░░░░ 0/20"],
  [1, 1_000, "█░░░░░░░ 1/1000"],
  [999, 1_000, "███████░ 999/1000"],
  [25, 20, "████████ 25/20"],
  [0, 0, "████████ 0/0"],
])("%d of %d are %s", (taken, limit, text) => {
  expect(bar(taken, limit, 8)).toBe(text);
});

test.each([
  [true, {}, false, true],
  [false, {}, false, false],
  [true, { TERM: "dumb" }, false, false],
  [true, { NO_COLOR: "1" }, false, false],
  [true, { NO_COLOR: "" }, false, true],
  [true, { NO_COLOR: "1", FORCE_COLOR: "1" }, false, false],
  [false, { FORCE_COLOR: "1" }, false, true],
  [true, { FORCE_COLOR: "0" }, false, false],
  [true, { FORCE_COLOR: "1" }, true, false],
])(
  "colours on a terminal: %p, with %p, refused: %p: %p",
  (isTerminal, environment, refused, are) => {
    expect(wantsColours({ isTerminal, environment, refused })).toBe(are);
  },
);

test("JSON keeps no control as it is, and is the same JSON", () => {
  const json = safeJson({ "\u009b": "\u202e\u001b" });
  expect(json).toBe('{\n  "\\u009b": "\\u202e\\u001b"\n}');
  expect(JSON.parse(json)).toEqual({ "\u009b": "\u202e\u001b" });
});
