import { expect, test } from "bun:test";
import { connectFault, isDatabaseDown } from "../../src/store/faults.ts";

const error = (code: string) => Object.assign(new Error("x"), { code });

test.each([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "CONNECTION_CLOSED",
  "CONNECT_TIMEOUT",
  "08006",
  "25006",
  "53100",
  "53300",
  "57014",
  "57P01",
  "57P02",
  "57P03",
  "58030",
])("%s tells of the server", (code) => {
  expect(isDatabaseDown(error(code))).toBe(true);
});

test.each(["23505", "23514", "42P01", "22P02", "25001", "40001", "", "EACCES", "5700", "157P01"])(
  '"%s" tells of the statement',
  (code) => {
    expect(isDatabaseDown(error(code))).toBe(false);
  },
);

test("what a library wrapped around the error does not hide it", () => {
  const wrapped = new Error("query failed", {
    cause: new Error("again", { cause: error("57P01") }),
  });

  expect(isDatabaseDown(wrapped)).toBe(true);
});

test("an error that is its own cause is looked at to an end", () => {
  const circular = new Error("x");
  circular.cause = circular;

  expect(isDatabaseDown(circular)).toBe(false);
});

test.each([null, undefined, "ECONNREFUSED", { code: "ECONNREFUSED" }])(
  "%p is no error of a driver",
  (thrown) => {
    expect(isDatabaseDown(thrown)).toBe(false);
  },
);

test("a Postgres that never answered is named, and any other error stays as it is", () => {
  const address = { host: "db", port: 5432 };
  const silent = error("CONNECT_TIMEOUT");
  const refused = error("ECONNREFUSED");

  expect(connectFault(silent, address)).toHaveProperty(
    "message",
    "Postgres at db:5432 does not answer: it hangs, or the way to it is cut",
  );
  expect(isDatabaseDown(connectFault(silent, address))).toBe(true);
  expect(connectFault(refused, address)).toBe(refused);
});
