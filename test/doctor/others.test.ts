import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeAuthority } from "../support/certificates.ts";
import { startRegistry } from "../support/registry.ts";
import { startSmtpReceiver } from "../support/smtp-receiver.ts";
import { testStore } from "../support/store.ts";
import { look, theOne, VERSION } from "./look.ts";

const PASSWORD = "canary-7c1f-right";
const WRONG = "canary-7c1f-wrong";

let folder: string;
let registry: string;
const disposals = new AsyncDisposableStack();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fastlane-doctor-"));
  disposals.defer(() => rm(folder, { recursive: true }));
  const hash = Bun.password.hashSync(PASSWORD, { algorithm: "bcrypt", cost: 4 });
  const started = await startRegistry(null, `${folder}/registry`, {
    address: "127.0.0.1:0",
    users: [`ada:${hash}`],
  });
  disposals.defer(() => void started.process.kill("SIGKILL"));
  registry = started.address;
});
afterAll(() => disposals.disposeAsync());

/** A registry's front that wants a token, and gives one to whoever has the password. */
function startTokenRegistry() {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname, searchParams, origin } = new URL(request.url);
      const said = request.headers.get("authorization") ?? "";
      if (pathname === "/token") {
        const isRight = said === `Basic ${btoa(`ada:${PASSWORD}`)}`;
        if (!isRight || searchParams.get("service") !== "us")
          return new Response("no", { status: 401 });
        return Response.json({ token: "a-token" });
      }
      if (said === "Bearer a-token") return Response.json({});
      const challenge = `Bearer realm="${origin}/token",service="us"`;
      return new Response("", { status: 401, headers: { "www-authenticate": challenge } });
    },
  });
  return { name: `127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) };
}

test("a registry's login is tried as an engine would, with the password or by a token", async () => {
  await using tokens = startTokenRegistry();
  const login = (password: string) => ({ username: "ada", password });
  const config = (password: string) => ({
    registries: { [registry]: login(password), [tokens.name]: login(password) },
  });

  const [right, wrong] = await Promise.all([
    look({ config: config(PASSWORD) }),
    look({ config: config(WRONG) }),
  ]);

  for (const name of [registry, tokens.name]) {
    expect(theOne(right, `registry ${name}`, /takes the login of "ada"/).level).toBe("ok");
    const { level, advice } = theOne(wrong, `registry ${name}`, /refuses the login of "ada"/);
    expect([level, typeof advice]).toEqual(["problem", "string"]);
  }
  expect(JSON.stringify([right, wrong])).not.toContain("canary-7c1f");
});

test("a registry that is not there, or that nobody signed for, is told of", async () => {
  const { certFile, keyFile } = makeAuthority(`${folder}/tls`).issueServer("here", "127.0.0.1");
  await using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: { cert: Bun.file(certFile), key: Bun.file(keyFile) },
    fetch: () => Response.json({}),
  });
  const untrusted = `127.0.0.1:${server.port}`;
  const login = { username: "ada", password: WRONG };

  const found = await look({
    config: { registries: { "127.0.0.1:1": login, [untrusted]: login } },
  });

  expect(theOne(found, "registry 127.0.0.1:1", /nothing listens/)).toMatchObject({
    level: "problem",
    advice: expect.any(String),
  });
  expect(theOne(found, `registry ${untrusted}`, /not signed by a trusted/).level).toBe("warning");
});

test("a mail server is spoken to as far as the login, and gets no mail", async () => {
  const login = { user: "ada", password: PASSWORD };
  await using receiver = await startSmtpReceiver({ login });
  const config = (password: string) => ({
    smtpHost: "127.0.0.1",
    smtpPort: receiver.port,
    smtpUser: "ada",
    smtpPassword: password,
  });

  const [right, wrong, none] = await Promise.all([
    look({ config: config(PASSWORD) }),
    look({ config: config(WRONG) }),
    look({ config: { smtpHost: "127.0.0.1", smtpPort: 1 } }),
  ]);

  const subject = `mail server 127.0.0.1:${receiver.port}`;
  expect(theOne(right, subject, /takes the login of "ada"/).level).toBe("ok");
  for (const finding of [
    theOne(wrong, subject, /refused the login of "ada"/),
    theOne(none, "mail server 127.0.0.1:1", /nothing listens there/),
  ]) {
    expect([finding.level, typeof finding.advice]).toEqual(["problem", "string"]);
  }
  expect(receiver.mails).toEqual([]);
  expect(JSON.stringify([right, wrong])).not.toContain("canary-7c1f");
});

test("a webhook that leads nowhere, or where none may go, is a problem; its path is not told", async () => {
  const urls = ["https://no-such-name.invalid/canary-7c1f", "http://127.0.0.1:8080/canary-7c1f"];
  const webhooks = urls.map((url) => ({ url, secret: `whsec_${btoa("canary-7c1f-canary-7c1f")}` }));

  const found = await look({ config: { webhooks } });

  expect(theOne(found, "webhook no-such-name.invalid", /no machine of that name/).level).toBe(
    "problem",
  );
  expect(theOne(found, "webhook 127.0.0.1:8080", /loopback address/)).toMatchObject({
    level: "problem",
    advice: expect.any(String),
  });
  expect(JSON.stringify(found)).not.toContain("canary-7c1f");
});

test("nodes of other versions, silent ones and hosts without a node are warnings", async () => {
  await using store = await testStore();
  const add = (name: string, version: string, silentSeconds: number) => store.sql`
    INSERT INTO fastlane.nodes (id, name, version, process, heartbeat_at)
    VALUES (${crypto.randomUUID()}, ${name}, ${version}, '', now() - make_interval(secs => ${silentSeconds}))`;
  await add("one", VERSION, 0);
  await add("two", "0.9.0", 1);
  await add("three", VERSION, 45);

  const found = await look({ config: { databaseUrl: store.url } });

  for (const words of [
    /several versions: 0.9.0, 1.2.3$/,
    /node three .* not been heard of for 45/,
    /no node has the host unix:\/\/\/nonexistent.sock/,
  ]) {
    const { level, advice } = theOne(found, "nodes", words);
    expect([level, typeof advice]).toEqual(["warning", "string"]);
  }
});

test("a schedule in a time zone that this binary does not know is a problem", async () => {
  await using store = await testStore();
  const ids = [crypto.randomUUID(), crypto.randomUUID()] as const;
  await store.sql`INSERT INTO fastlane.tasks (id) VALUES ('t')`;
  for (const id of ids) {
    await store.sql`
      INSERT INTO fastlane.jobs (id, task_id, request, rules) VALUES (${id}, 't', '{}', '{}')`;
  }
  const add = (id: string, zone: string) => store.sql`
    INSERT INTO fastlane.schedules (job_id, cron, timezone, next_at)
    VALUES (${id}, '0 3 * * *', ${zone}, now())`;
  await add(ids[0], "Europe/Berlin");
  const known = await look({ config: { databaseUrl: store.url } });
  await add(ids[1], "Atlantis/Capital");

  const unknown = await look({ config: { databaseUrl: store.url } });

  expect(theOne(known, "time zones", /those of the schedules among them/).level).toBe("ok");
  expect(theOne(unknown, "time zones", /"Atlantis\/Capital"/)).toMatchObject({
    level: "problem",
    advice: expect.any(String),
  });
});
