import { expect, test } from "bun:test";
import { judgeLog } from "./log-check.ts";

const WHOLE = "o 1\no 2\no 3\nrest";

test.each([
  ["all of it", "o 1\no 2\no 3\nrest", 0],
  ["all that is certain of what was cut short", "o 1\n", 0],
  ["less than is certain", "", 4],
  ["a gap", "o 1\no 3\n", 1],
  ["a gap within lines, their rests in one", "o 1\noo 3\nrest", 1],
])("of a log that was cut short behind line 1, %s", (_, stored, missing) => {
  expect(judgeLog(stored, WHOLE, 1)).toEqual({ missing, disorder: null });
});
