import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, basic, OWNER, startApi } from "../support/api.ts";
import { errorOf } from "./request.ts";

const CONSOLE = "https://console.example";
const JOB = JSON.stringify({ image: "busybox", command: "true" });

let api: Api;
beforeAll(async () => {
  api = await startApi({ ...OWNER, corsOrigins: [CONSOLE] });
});
afterAll(() => api[Symbol.asyncDispose]());

/** As a browser sends it that has the user's password. */
const send = (headers: Record<string, string>, method = "POST") =>
  api.ask("/tasks/a/", null, {
    method,
    headers: { authorization: basic("ada", "lovelace"), ...headers },
    ...(method === "GET" ? {} : { body: JOB }),
  });

const FORM = { "content-type": "text/plain" };

test.each<[string, Record<string, string>]>([
  ["of another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
  ["of another site, by a browser that tells no more", { origin: "https://evil.example" }],
  ["of another site, without an origin", { "sec-fetch-site": "cross-site" }],
  ["of a neighbour of the site, without an origin", { "sec-fetch-site": "same-site" }],
  ["of a form", { ...FORM, origin: "null", "sec-fetch-site": "cross-site" }],
  ["of a form, without an origin", { ...FORM, "sec-fetch-site": "cross-site" }],
  ["of a page in a sandbox", { origin: "null" }],
  ["of a page that claims to be here", { origin: "null", "sec-fetch-site": "same-origin" }],
])("a change %s is refused, with the right password", async (_, headers) => {
  const { error } = await errorOf(await send(headers), 403);

  expect(error).toBe("Cannot act for a web page of another origin");
});

test.each<[string, Record<string, string>]>([
  ["a program", {}],
  ["our own page", { origin: "OWN", "sec-fetch-site": "same-origin" }],
  ["our own page, without an origin", { "sec-fetch-site": "same-origin" }],
  ["what a person typed", { "sec-fetch-site": "none" }],
  ["a page that the configuration lets in", { origin: CONSOLE, "sec-fetch-site": "cross-site" }],
])("%s may change things", async (_, headers) => {
  const origin = headers["origin"] === "OWN" ? { origin: api.url } : {};

  expect((await send({ ...headers, ...origin })).status).toBe(200);
});

test("a link on another site may be followed to what only reads", async () => {
  await send({});

  expect((await send({ "sec-fetch-site": "cross-site" }, "GET")).status).toBe(200);
});
