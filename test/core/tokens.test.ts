import { expect, test } from "bun:test";
import { parseLongDuration } from "../../src/core/duration.ts";
import { addressGroup, slowDownSeconds } from "../../src/core/slow-down.ts";
import { newToken, readToken } from "../../src/core/token.ts";

test("a token is read back with its id and digest, and each is another", () => {
  const [first, second] = [newToken(), newToken()];

  expect(readToken(first.token)).toEqual({ id: first.id, digest: first.digest });
  expect(first.token).toMatch(/^fl_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
  expect([first.id, first.digest]).not.toEqual([second.id, second.digest]);
});

test("a token with any letter changed, lost or swapped is none", () => {
  const { token } = newToken();
  const letters = [...token];
  const changed = letters.flatMap((letter, i) => {
    const swapped = letters.toSpliced(i, 2, letters[i + 1] ?? "", letter);
    return [
      letters.with(i, letter === "x" ? "y" : "x").join(""),
      letters.toSpliced(i, 1).join(""),
      swapped.join(""),
    ];
  });

  expect(changed.filter((text) => text !== token && readToken(text) !== null)).toEqual([]);
});

test.each([
  [1, 0],
  [4, 0],
  [5, 1],
  [6, 2],
  [7, 4],
  [10, 32],
  [11, 60],
  [100_000, 60],
])("after %p wrong credentials in a row an address waits %p s", (failures, seconds) => {
  expect(slowDownSeconds(failures)).toBe(seconds);
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::9", "2001:db8:1:2"],
  ["", ""],
])("the address %j counts as %j", (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

test.each([
  ["90d", 90 * 86_400_000],
  ["1d12h", 36 * 3_600_000],
  ["12h", 12 * 3_600_000],
  ["1h30m", 5_400_000],
  ["d", null],
  ["1d2d", null],
  ["1.5d", null],
  ["", null],
])("%j lasts %p ms", (text, ms) => {
  expect(parseLongDuration(text)).toBe(ms);
});
