import { afterAll, beforeAll, expect, test } from "bun:test";
import { BY_SYSTEM } from "../../src/core/audit.ts";
import { readToken } from "../../src/core/token.ts";
import { createTokenFinder } from "../../src/http/token-finder.ts";
import { createToken, revokeToken } from "../../src/services/tokens.ts";
import { type Api, basic, OWNER, startApi } from "../support/api.ts";
import { testStore } from "../support/store.ts";
import { errorOf, jsonOf } from "./request.ts";

const disposals = new AsyncDisposableStack();
/** Nobody is asked who they are. */
let open: Api;
/** On the same database, everybody is. */
let closed: Api;
beforeAll(async () => {
  open = disposals.use(await startApi());
  closed = disposals.use(await startApi({ requireAuthentication: true }, open.database));
});
afterAll(() => disposals.disposeAsync());

const JSON_BODY = { method: "POST", body: JSON.stringify({ image: "busybox", command: "true" }) };

/** Another token of the same form. */
function otherToken(token: string): string {
  for (;;) {
    const letters = [...token].toSorted(() => Math.random() - 0.5).join("");
    const text = `fl_${token.slice(3, 15)}_${letters.replace(/_/g, "").slice(0, 49)}`;
    if (readToken(text) === null && text !== token) return text;
  }
}

test("a token says who asks: as Bearer, and as the password of any user", async () => {
  await using api = await startApi(OWNER);
  const token = await api.token({
    name: "ci",
    role: "submitter",
    taskMatch: "^a-",
    expiresIn: "1h",
  });
  const pair = { headers: { authorization: basic("whoever", token) } };

  const answers = [await api.ask("/whoami/", token), await api.ask("/whoami", null, pair)];

  for (const answer of answers) {
    const who = await jsonOf(answer);
    expect(who).toEqual({
      kind: "token",
      name: "ci",
      role: "submitter",
      taskMatch: "^a-",
      expiresAt: expect.any(String),
    });
    expect(Date.parse(who.expiresAt) - Date.now()).toBeLessThan(3_600_000);
  }
});

test("only name and password open it where they are configured, and monitors need none", async () => {
  const credentials = { basicAuthUsername: "änn", basicAuthPassword: "pä:ss" };
  await using api = await startApi({
    ...credentials,
    basicAuthRealm: "jobs",
    trustedProxies: ["127.0.0.1"],
  });
  let asked = 0;
  const ask = async (authorization: string) => {
    asked += 1;
    const headers = { authorization, "x-real-ip": `192.0.2.${asked}` };
    return await api.ask("/tasks/", null, { headers });
  };

  const none = await api.ask("/tasks/");
  const wrong = ["änn:", "änn:pä", ":pä:ss", "Änn:pä:ss", "änn:pä:ss2"].map((pair) => {
    const [username = "", ...password] = pair.split(":");
    return ask(basic(username, password.join(":")));
  });
  wrong.push(ask("Bearer x"), ask("Basic !"), ask(basic("änn", "pä:ss").replace("Basic ", "")));

  await errorOf(none, 401);
  expect(none.headers.get("www-authenticate")).toBe(
    'Basic realm="jobs", charset="UTF-8", Bearer realm="jobs"',
  );
  for (const refused of await Promise.all(wrong)) await errorOf(refused, 401);
  await errorOf(await api.ask("/tasks/a/", null, JSON_BODY), 401);
  const right = await api.ask("/whoami/", null, {
    headers: { authorization: basic("änn", "pä:ss") },
  });
  expect(await jsonOf(right)).toEqual({
    kind: "basic",
    name: "änn",
    role: "admin",
    taskMatch: null,
    expiresAt: null,
  });
  for (const path of ["/healthcheck", "/healthcheck/"]) {
    expect((await api.ask(path)).status).toBe(200);
  }
});

test("where nobody is asked, a token counts with its role, and one that is wrong is refused", async () => {
  const api = open;
  const token = await api.token({ role: "viewer" });
  const foreign = { headers: { authorization: basic("proxy", "its own") } };

  const who = await jsonOf(await api.ask("/whoami/"));
  const ofProxy = await api.ask("/whoami/", null, foreign);

  expect(who).toMatchObject({ kind: "anonymous", name: null, role: "admin" });
  expect((await jsonOf(ofProxy)).kind).toBe("anonymous");
  await errorOf(await api.ask("/tasks/a/", token, JSON_BODY), 403);
  await errorOf(await api.ask("/whoami/", `${token.slice(0, -1)}-`), 401);
  await errorOf(
    await api.ask("/whoami/", null, { headers: { authorization: basic("x", token.slice(0, -1)) } }),
    401,
  );
});

test("requireAuthentication asks for a token without any password", async () => {
  const api = closed;

  const none = await errorOf(await api.ask("/tasks/"), 401);

  expect(none.error).toBe("This fastlane asks for a token");
  expect((await api.ask("/tasks/", await api.token())).status).toBe(200);
});

test("a token that is revoked, or has expired, or was never there, is told so and no more", async () => {
  const api = closed;
  const revoked = await api.token({ name: "gone" });
  const expired = await api.token({ name: "old" });
  const unknown = await api.token({ name: "unknown" });
  const admin = await api.token({ role: "admin" });
  await api.ask("/tokens/gone/", admin, { method: "DELETE" });
  await api.store.sql`
    UPDATE fastlane.tokens SET created_at = now() - interval '2 h', expires_at = now() - interval '1 h'
    WHERE name = 'old'`;
  await api.store.sql`DELETE FROM fastlane.tokens WHERE name = 'unknown'`;
  const errorFor = async (token: string) =>
    (await errorOf(await api.ask("/tasks/", token), 401)).error;

  expect(await errorFor(revoked)).toBe('The token "gone" was revoked');
  expect(await errorFor(expired)).toMatch(/^The token "old" expired at \d{4}-.*Z$/);
  expect(await errorFor(unknown)).toBe("This token is not known");
  expect(await errorFor(otherToken(revoked))).toBe("This is no token: it is cut off, or mistyped");
});

test("a mistyped token is told apart without a question to Postgres", async () => {
  await using api = await startApi({ requireAuthentication: true });
  const token = await api.token();
  await api.store.sql`ALTER TABLE fastlane.tokens RENAME TO gone`;

  const mistyped = await errorOf(await api.ask("/tasks/", `${token.slice(0, -1)}!`), 401);
  const right = await api.ask("/tasks/", token);

  expect(mistyped.error).toContain("mistyped");
  expect(right.status).toBe(500);
});

test("the right public id with another secret is as unknown as any", async () => {
  const api = closed;
  const [first, second] = [await api.token(), await api.token()];
  await api.store.sql`
    UPDATE fastlane.tokens SET digest = (
      SELECT digest FROM fastlane.tokens WHERE id = ${readToken(second)?.id ?? ""}
    ) WHERE id = ${readToken(first)?.id ?? ""}`;

  expect((await errorOf(await api.ask("/tasks/", first), 401)).error).toBe(
    "This token is not known",
  );
  expect((await api.ask("/tasks/", second)).status).toBe(200);
});

test("it is written down when a token was used, once in a minute", async () => {
  const api = closed;
  const token = await api.token({ name: "used" });
  const admin = await api.token({ role: "admin" });
  const usedAt = async () => {
    const { items } = await jsonOf(await api.ask("/tokens/", admin));
    return items.find(({ name }: { name: string }) => name === "used").lastUsedAt;
  };
  const before = await usedAt();

  await api.ask("/tasks/", token);
  let first = await usedAt();
  while (first === null) first = await usedAt();
  await Promise.all(Array.from({ length: 20 }, () => api.ask("/tasks/", token)));

  expect(before).toBeNull();
  expect(await usedAt()).toBe(first);
});

test("tokens are made, listed and revoked, and a name is free when its token is over", async () => {
  await using api = await startApi(OWNER);
  const headers = { authorization: basic("ada", "lovelace") };
  const make = (body: unknown) =>
    api.ask("/tokens/", null, { method: "POST", headers, body: JSON.stringify(body) });
  const list = async (query = "") =>
    (await jsonOf(await api.ask(`/tokens/${query}`, null, { headers }))).items;

  const made = await make({ name: "ci", role: "submitter", taskMatch: "^a-", expiresIn: "90d" });
  const { token, ...view } = await jsonOf(made);
  const listed = await list();
  const taken = await errorOf(await make({ name: "ci", role: "viewer" }), 409);
  const revoke = () => api.ask("/tokens/ci/", null, { method: "DELETE", headers });
  const revoked = await jsonOf(await revoke());

  expect([made.status, made.headers.get("cache-control")]).toEqual([201, "no-store"]);
  expect(readToken(token)?.id).toBe(view.id);
  expect(view).toMatchObject({
    name: "ci",
    role: "submitter",
    taskMatch: "^a-",
    createdBy: "basic ada",
    lastUsedAt: null,
    revokedAt: null,
  });
  expect(Date.parse(view.expiresAt) - Date.parse(view.createdAt)).toBe(90 * 86_400_000);
  expect(listed).toEqual([view]);
  expect(taken.error).toContain('one named "ci" is live');
  expect(revoked).toEqual({ ...view, revokedAt: expect.any(String) });
  await errorOf(await revoke(), 404);
  expect(await list()).toEqual([]);
  expect(await list("?all=true")).toEqual([revoked]);
  expect((await make({ name: "ci", role: "viewer" })).status).toBe(201);
  await api.store.sql`
    UPDATE fastlane.tokens SET created_at = now() - interval '2 h', expires_at = now() - interval '1 h'
    WHERE name = 'ci' AND revoked_at IS NULL`;
  expect(await list()).toEqual([]);
  expect((await make({ name: "ci", role: "viewer" })).status).toBe(201);
  expect((await list()).length).toBe(1);
});

test.each([
  [{ role: "viewer" }, '"name" must be given'],
  [{ name: "a b", role: "viewer" }, '"name" must have 1 to 100 letters'],
  [{ name: "..", role: "viewer" }, '"name" must have 1 to 100 letters'],
  [{ name: "a", role: "root" }, '"role" must be "viewer", "submitter", "operator" or "admin"'],
  [{ name: "a", role: "viewer", expiresIn: "soon" }, '"expiresIn" must be a duration such as 90d'],
  [{ name: "a", role: "viewer", expiresIn: "9999d" }, "from 1s to 3650d"],
  [{ name: "a", role: "operator", taskMatch: "^a" }, '"taskMatch" is not for the role operator'],
  [{ name: "a", role: "viewer", taskMatch: "(" }, '"taskMatch" is no regular expression'],
  [
    { name: "a", role: "viewer", taskMatch: "^(a*)(a*)(a*)(a*)\\1\\2\\3\\4a$" },
    '"taskMatch" takes too long',
  ],
  [{ name: "a", role: "viewer", scope: "x" }, '"scope" is not a known key'],
  [[], "must be an object"],
])("a token as %j is refused: %s", async (wish, words) => {
  const api = open;

  const answer = await api.ask("/tokens/", null, { method: "POST", body: JSON.stringify(wish) });

  const { error } = await errorOf(answer, 400);
  expect(error).toStartWith("Cannot make the token: ");
  expect(error).toContain(words);
});

test.each(["%00", "a%20b", "%FF"])("there is no live token %s to revoke", async (name) => {
  const answer = await open.ask(`/tokens/${name}/`, null, { method: "DELETE" });

  expect((await errorOf(answer, 404)).error).toStartWith("There is no live token");
});

test("64 who come at once share a lookup, none of them one that began before it came", async () => {
  await using store = await testStore();
  const { token } = await createToken(store.db, { name: "a", role: "viewer" }, BY_SYSTEM);
  let lookups = 0;
  const counting = new Proxy(store.db.$client, {
    apply(target, self, args) {
      lookups += 1;
      return Reflect.apply(target, self, args);
    },
  });
  const db = new Proxy(store.db, {
    get: (target, key) => (key === "$client" ? counting : Reflect.get(target, key)),
  });
  const find = createTokenFinder(db);
  const read = readToken(token) ?? expect.unreachable();

  const first = find(read);
  const revoked = revokeToken(store.db, "a", BY_SYSTEM);
  const meanwhile = Array.from({ length: 63 }, () => find(read));
  await revoked;
  const after = Array.from({ length: 64 }, () => find(read));
  const states = (await Promise.all(after)).map((found) => found?.state);
  await Promise.all([first, ...meanwhile]);

  expect(new Set(states)).toEqual(new Set(["revoked"]));
  expect(lookups).toBeLessThanOrEqual(4);
});
