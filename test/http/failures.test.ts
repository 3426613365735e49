import { afterAll, beforeAll, expect, test } from "bun:test";
import { createFailures } from "../../src/http/failures.ts";
import { type Api, basic, OWNER, startApi } from "../support/api.ts";
import { errorOf } from "./request.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi({ ...OWNER, trustedProxies: ["127.0.0.1"] });
});
afterAll(() => api[Symbol.asyncDispose]());

const RIGHT = basic("ada", "lovelace");
const ask = (address: string, authorization: string, headers = {}) =>
  api.ask("/tasks/", null, { headers: { authorization, "x-forwarded-for": address, ...headers } });

async function guess(address: string, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i += 1) {
    statuses.push((await ask(address, basic("ada", `guess ${i}`))).status);
  }
  return statuses;
}

test("whoever guesses is not listened to for a while, not even with the right password", async () => {
  const statuses = await guess("192.0.2.1", 6);
  const right = await ask("192.0.2.1", RIGHT);

  expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  expect(right.headers.get("retry-after")).toBe("1");
  expect((await errorOf(right, 429)).error).toContain("try again in 1 s");
  expect((await ask("192.0.2.2", RIGHT)).status).toBe(200);
});

test("a whole token is listened to behind an address from which somebody guesses", async () => {
  const token = await api.token();
  await guess("192.0.2.3", 6);

  expect((await ask("192.0.2.3", `Bearer ${token}`)).status).toBe(200);
  expect((await ask("192.0.2.3", basic("x", token))).status).toBe(200);
  expect((await ask("192.0.2.3", `Bearer ${token.slice(0, -1)}`)).status).toBe(429);
  expect((await ask("192.0.2.3", RIGHT)).status).toBe(429);
});

test("mistyped and unknown tokens count, a right password forgets", async () => {
  await guess("192.0.2.4", 4);
  const right = await ask("192.0.2.4", RIGHT);
  const after = await guess("192.0.2.4", 4);
  const mistyped = await ask("192.0.2.4", "Bearer fl_mistyped");

  expect([right.status, ...after, mistyped.status]).toEqual([200, 401, 401, 401, 401, 401]);
  expect((await ask("192.0.2.4", RIGHT)).status).toBe(429);
});

test("an address that a client makes up behind the proxy's own word does not count", async () => {
  const made = (i: number) => `198.51.100.${i}, 192.0.2.5`;
  for (let i = 0; i < 5; i += 1) await ask(made(i), basic("ada", "guess"));

  expect((await ask(made(9), RIGHT)).status).toBe(429);
});

test("an address in a header that the proxy passes on as it came does not count", async () => {
  const guesses = (i: number) =>
    ask("192.0.2.6", basic("ada", "guess"), { "x-real-ip": `198.51.100.${i}` });
  for (let i = 0; i < 5; i += 1) await guesses(i);

  expect((await guesses(9)).status).toBe(429);
  expect((await ask("192.0.2.6", RIGHT)).status).toBe(200);
});

test("without a trusted proxy nobody can write themselves another address", async () => {
  await using own = await startApi(OWNER);
  const statuses: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    const headers = { authorization: basic("a", "b"), "x-real-ip": `192.0.2.${i}` };
    statuses.push((await own.ask("/tasks/", null, { headers })).status);
  }

  expect(statuses.at(-1)).toBe(429);
});

test("the wait grows while it goes on, and 15 minutes forget", () => {
  let now = 1_000;
  const failures = createFailures(() => now);
  const waits: number[] = [];
  for (let i = 0; i < 13; i += 1) {
    failures.add("192.0.2.1");
    waits.push(failures.waitSeconds("192.0.2.1"));
    now += (waits.at(-1) ?? 0) * 1_000;
  }
  const over = failures.waitSeconds("192.0.2.1");
  now += 15 * 60_000 + 1;
  failures.add("192.0.2.1");

  expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  expect(over).toBe(0);
  expect(failures.waitSeconds("192.0.2.1")).toBe(0);
});

test("a whole network of IPv6 counts as one, and its neighbour as another", () => {
  const failures = createFailures();
  for (let i = 0; i < 5; i += 1) failures.add(`2001:db8:0:1::${i}`);

  expect(failures.waitSeconds("2001:db8:0:1:ffff::1")).toBeGreaterThan(0);
  expect(failures.waitSeconds("2001:db8:0:2::1")).toBe(0);
});
