import { expect, test } from "bun:test";
import { type PostgresAddress, parsePostgresUrl, socketPathOf } from "../../src/store/address.ts";

const DEFAULT: PostgresAddress = {
  host: "localhost",
  port: 5432,
  database: "postgres",
  user: "postgres",
  password: undefined,
  tls: "off",
};

test.each<[string, Partial<PostgresAddress>]>([
  ["postgres://", {}],
  ["postgresql://db.example", { host: "db.example" }],
  ["postgres://db:6543/jobs", { host: "db", port: 6543, database: "jobs" }],
  ["postgres://me@db", { host: "db", user: "me", database: "me" }],
  ["postgres://me:p%40ss%2F@db/x", { host: "db", user: "me", password: "p@ss/", database: "x" }],
  ["postgres:///jobs?host=/run/postgresql", { host: "/run/postgresql", database: "jobs" }],
  ["postgres:///jobs?host=/run&port=6000", { host: "/run", port: 6000, database: "jobs" }],
  ["postgres://db?sslmode=disable", { host: "db" }],
  ["postgres://db?sslmode=require", { host: "db", tls: "encrypt" }],
  ["postgres://db?sslmode=no-verify", { host: "db", tls: "encrypt" }],
  ["postgres://db?sslmode=verify-full", { host: "db", tls: "verify" }],
  ["postgres://db?sslmode=verify-ca", { host: "db", tls: "verify" }],
])("%s is read for both drivers alike", (url, expected) => {
  expect(parsePostgresUrl(url)).toEqual({ ...DEFAULT, ...expected });
});

test.each([
  ["mysql://me:secret@db/x", "postgres://"],
  ["secret", "postgres://"],
  ["postgres://me:secret@db/x?sslmode=maybe", 'sslmode "maybe"'],
])("%s is refused with what is wrong, and never the password", (url, said) => {
  const refused = () => parsePostgresUrl(url);

  expect(refused).toThrow(said);
  expect(refused).not.toThrow("secret");
});

test("a folder as host means the socket in it", () => {
  expect(socketPathOf({ ...DEFAULT, host: "/run", port: 6000 })).toBe("/run/.s.PGSQL.6000");
  expect(socketPathOf(DEFAULT)).toBeNull();
});
