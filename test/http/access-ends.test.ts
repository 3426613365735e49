import { afterAll, beforeAll, expect, test } from "bun:test";
import { BY_SYSTEM } from "../../src/core/audit.ts";
import { revokeToken } from "../../src/services/tokens.ts";
import { insertLogSegments } from "../../src/store/log-chunks.ts";
import { type Api, startApi } from "../support/api.ts";
import { eventually } from "../support/client.ts";
import { openSocket, socketUrl } from "../support/log-socket.ts";
import { segmentOf } from "../support/logs.ts";
import { jsonOf } from "./request.ts";

let api: Api;
/** On the same database. */
let other: Api;
let jobUrl: string;
let executionUrl: string;
const disposals = new AsyncDisposableStack();
beforeAll(async () => {
  api = disposals.use(await startApi({ requireAuthentication: true }));
  other = disposals.use(await startApi({ requireAuthentication: true }, api.database));
  const submitter = await api.token({ role: "submitter" });
  const body = JSON.stringify({ image: "busybox", command: "true" });
  const made = await jsonOf(await api.ask("/tasks/a/", submitter, { method: "POST", body }));
  jobUrl = made.jobUrl;
  executionUrl = made.executionUrl;
  // Bun sends no headers before there is something of the body.
  const segment = segmentOf(made.executionId, 1, "begun\n");
  await api.store.db.transaction((tx) => insertLogSegments(tx, [segment]));
});
afterAll(() => disposals.disposeAsync());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test("whatever a token has opened ends when it is revoked, on every node, and nothing else does", async () => {
  const admin = await api.token({ role: "admin" });
  const token = await api.token({ name: "short" });
  const path = new URL(executionUrl).pathname;
  const onOther = `${other.url}${path}`;
  using ofJob = openSocket(socketUrl(jobUrl), bearer(token));
  using ofExecution = openSocket(socketUrl(onOther), bearer(token));
  using tail = openSocket(socketUrl(`${other.url}/tail`), bearer(token));
  using kept = openSocket(socketUrl(jobUrl), bearer(admin));
  await Promise.all([ofJob, ofExecution, tail, kept].map(({ opened }) => opened));
  const events = await other.ask(`${path}events/`, token);
  const followed = await other.ask(`${path}logs/?follow=true`, token);
  const lines = await other.ask(`${path}logs/?follow=true&format=ndjson`, token);

  await api.ask("/tokens/short/", admin, { method: "DELETE" });
  const closed = await Promise.all([ofJob.closed, ofExecution.closed, tail.closed]);
  const texts = await Promise.all([events, followed, lines].map((answer) => answer.text()));

  expect(new Set(closed.map(String))).toEqual(new Set(["1008,revoked"]));
  expect(texts[0]).toStartWith("retry: ");
  expect(texts[1]).toBe("begun\n");
  expect(texts[2]).toContain("begun");
  const isOpen = await Promise.race([kept.closed, Promise.resolve("open")]);
  expect(isOpen).toBe("open");
});

test("who waits for an execution is answered at once when the token is revoked", async () => {
  const admin = await api.token({ role: "admin" });
  const token = await api.token({ name: "waiting", role: "submitter" });
  const body = JSON.stringify({ image: "busybox", command: "true" });
  const answer = api.ask("/tasks/waited/?wait=60", token, { method: "POST", body });
  await eventually(
    async () => (await api.ask("/tasks/waited/", admin)).ok || undefined,
    () => "there is no job",
  );

  await api.ask("/tokens/waiting/", admin, { method: "DELETE" });
  const { execution } = await jsonOf(await answer);

  expect(execution.status).toBe("enqueued");
}, 30_000);

test("the nodes tell each other of it, so that nobody waits for a sweep", async () => {
  const token = await api.token({ name: "told" });
  // A sweep comes later than this one's end.
  const shorter = await api.token({ expiresIn: "4s" });
  using ofShorter = openSocket(socketUrl(jobUrl), bearer(shorter));
  using socket = openSocket(socketUrl(`${other.url}${new URL(jobUrl).pathname}`), bearer(token));
  await Promise.all([ofShorter.opened, socket.opened]);

  await revokeToken(api.store.db, "told", BY_SYSTEM);

  expect(await Promise.race([socket.closed, ofShorter.closed])).toEqual([1008, "revoked"]);
});

test("what a token has opened ends when it expires", async () => {
  const token = await api.token({ expiresIn: "1s" });
  using socket = openSocket(socketUrl(jobUrl), bearer(token));
  const events = await api.ask(`${new URL(executionUrl).pathname}events/`, token);

  expect(await socket.closed).toEqual([1008, "expired"]);
  expect(await events.text()).not.toBe("");
  expect((await api.ask("/tasks/", token)).status).toBe(401);
});

test("a browser's script sends its token as a protocol, of which the answer takes up the other", async () => {
  const token = await api.token();
  const open = (protocols: string[]) => {
    const socket = new WebSocket(socketUrl(jobUrl), protocols);
    return new Promise<string | null>((resolve) => {
      socket.onopen = () => {
        resolve(socket.protocol);
        socket.close();
      };
      socket.onerror = () => resolve(null);
    });
  };

  expect(await open(["fastlane", `bearer.${token}`])).toBe("fastlane");
  expect(await open(["fastlane", `bearer.${token.slice(0, -1)}`])).toBeNull();
  expect(await open(["fastlane"])).toBeNull();
});
