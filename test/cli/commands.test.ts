import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../src/store/connect.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue } from "../support/client.ts";
import { fastlane } from "./command.ts";

const HOST = "tcp://10.0.0.7:2375";
const ADMIN = "FASTLANE_TOKEN";

let app: TestApp;
let secured: TestApp;
let home: string;
let token: string;
let waits: Enqueued;
let scheduled: Enqueued;

const ask = (...args: string[]) => fastlane(args, { environment: { FASTLANE_URL: app.url } });
const asAdmin = (...args: string[]) =>
  fastlane(args, { environment: { FASTLANE_URL: secured.url, [ADMIN]: token } });
const json = async (...args: string[]) => JSON.parse((await ask(...args, "--json")).stdout);

beforeAll(async () => {
  const dockerHosts = [{ match: "", hosts: [HOST], maxRunning: 20 }];
  const roles = { api: true, worker: false };
  app = await startTestApp({ config: { dockerHosts }, roles });
  const store = openStore({ address: app.database.address, max: 1 });
  await store.sql`INSERT INTO fastlane.hosts (name) VALUES (${HOST})`;
  await store.close();
  waits = await enqueue(app.url, "reports", { command: "true" });
  await enqueue(app.url, "reports", { command: "false" });
  scheduled = await enqueue(app.url, "clock", { command: "date", cron: "0 3 * * *" });
  home = await mkdtemp(join(tmpdir(), "fastlane-home-"));
  const auth = { basicAuthUsername: "ada", basicAuthPassword: "lovelace" };
  secured = await startTestApp({ config: { dockerHosts, ...auth }, roles });
  const made = await fastlane(
    ["token", "create", "root", "--role", "admin", "--local", "--config", "/dev/null"],
    { environment: { FASTLANE_DATABASE_URL: secured.database.url } },
  );
  token = made.stdout.trim();
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await secured[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

test("lists are tables in a pipe, with whole ids and neither colours nor hints", async () => {
  const tasks = await ask("tasks");
  const jobs = await ask("jobs", "reports", "--per-page", "1");
  const executions = await ask("executions", "--status", "enqueued,running", "--since", "1h");

  expect(tasks.stdout).toMatch(/^TASK +JOBS +CHANGED +CREATED\n/);
  expect(tasks.stdout).toMatch(/^reports +2 +\d+ s ago|^reports +2 +now/m);
  expect(jobs.stdout.split("\n")).toHaveLength(3);
  expect(jobs.stderr).toBe("Page 1 of 2, 2 in all; --page 2 goes on\n");
  expect(executions.stdout).toContain(waits.executionId);
  expect(tasks.stdout + jobs.stdout + executions.stdout).not.toContain("\u001b");
});

test("- is standard output to an export, and standard input to an import", async () => {
  const exported = await ask("export", "-");
  const imported = await fastlane(["import", "-", "--dry-run"], {
    environment: { FASTLANE_URL: app.url },
    input: exported.stdout,
  });

  expect(JSON.parse(exported.stdout)).toMatchObject({ schedules: [{ taskId: "clock" }] });
  expect([imported.code, imported.stdout]).toEqual([0, expect.stringMatching(/unchanged\n$/)]);
});

test("with --json a list is the server's answer, and all pages of it are one", async () => {
  const [whole, one] = [await json("executions"), await json("executions", "--limit", "1")];
  const rest = await json("executions", "--cursor", one.nextCursor);

  expect(await json("tasks")).toMatchObject({ total: 2, items: [{}, {}] });
  expect(one.items.concat(rest.items)).toEqual(whole.items);
});

test("a job and an execution are shown, with why it waits and when it runs", async () => {
  const job = await ask("show", "clock");
  const execution = await ask("show", waits.executionId.slice(0, 8));
  const why = await ask("why", waits.executionUrl);

  expect(job.stdout).toMatch(/^Schedule +0 3 \* \* \* in UTC/m);
  expect(job.stdout).toMatch(/^Next +in \d+ /m);
  expect(execution.stdout).toMatch(/^Status +enqueued$/m);
  expect(execution.stdout).toMatch(/^Why +.*no host of its pool/m);
  expect(why.stdout).toContain("no host of its pool");
  expect((await json("show", "reports", waits.jobId)).job.image).toBe("busybox");
});

test("the farm is drawn with its pools, hosts and what comes next", async () => {
  const status = await ask("status");
  const hosts = await ask("hosts");

  expect(status.stdout).toMatch(/^\(all tasks\) +░+ 0\/20 +2 +1$/m);
  expect(status.stdout).toMatch(/^in .* clock +/m);
  expect(hosts.stdout).toMatch(/^tcp:\/\/10\.0\.0\.7:2375 +away +0 +closed/m);
  expect(hosts.stdout).toContain("No worker attends to this host");
  expect((await json("status")).pools).toHaveLength(1);
});

test("a host is blacklisted, drained and let in again", async () => {
  const blacklisted = await ask("hosts", "blacklist", "10.0.0.7:2375");
  const drained = await json("hosts", "drain", HOST, "--deadline", "10m");
  const allowed = await ask("hosts", "allow", HOST);

  expect([blacklisted.code, allowed.code]).toEqual([0, 0]);
  expect(Date.parse(drained.deadline)).toBeGreaterThan(Date.now());
  expect(allowed.stdout).toContain("may have something again");
});

test("one is stopped or retried by name, many only with a word for it", async () => {
  const many = ["stop", "--task", "reports", "--status", "enqueued"];

  const unsure = await ask(...many);
  const dry = await ask(...many, "--dry-run");
  const stopped = await json(...many, "--yes");
  const retried = await ask("retry", "reports", waits.jobId);
  const schedule = await ask("stop", scheduled.jobUrl);

  expect([unsure.code, unsure.stdout]).toEqual([2, ""]);
  expect(unsure.stderr).toContain("2 fit: give --yes");
  expect(dry.stdout).toContain("Would stop 2 executions");
  expect(stopped).toMatchObject({ count: 2, dryRun: false, nextCursor: null });
  expect(retried.stdout).toMatch(/^Retried job .*: execution [\da-f-]{36}$/m);
  expect(schedule.stdout).toContain(`Stopped job ${scheduled.jobId}`);
  expect((await json("show", "clock")).job.scheduled).toBe(false);
});

test.each([
  [["show", "nothing"], /There is no task "nothing"/],
  [["stop"], /either a NAME or some of --task/],
  [["stop", "reports", "--task", "reports"], /either a NAME/],
  [["executions", "--status", "sleeping"], /It must be some of enqueued/],
  [["executions", "--limit", "0"], /whole number from 1/],
  [["executions", "--since", "yesterday"], /10m/],
  [["hosts", "drain", "tcp://10.0.0.8:2375"], /the hosts are tcp:\/\/10\.0\.0\.7/],
  [["statsu"], /Did you mean status/],
  [["tasks", "--url", "ftp://x"], /must be one such as/],
  [["tasks", "--url", "http://127.0.0.1:1"], /Cannot reach http:\/\/127\.0\.0\.1:1/],
])("%j ends with code 2 and says why on stderr", async (args, why) => {
  const { code, stdout, stderr } = await ask(...args);

  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(why);
});

test("a token is printed alone, and does what its role allows until it is revoked", async () => {
  const made = await asAdmin("token", "create", "ci", "--role", "viewer", "--expires", "90d");
  const asCi = (...args: string[]) =>
    fastlane(args, {
      environment: { FASTLANE_URL: secured.url, FASTLANE_TOKEN: made.stdout.trim() },
    });

  const whoami = await asCi("whoami");
  const forbidden = await asCi("token", "list");
  const list = await asAdmin("token", "list");
  const revoked = await asAdmin("token", "revoke", "ci");
  const all = await asAdmin("token", "list", "--all");
  const refused = await asCi("tasks");

  expect(made.stdout).toMatch(/^fl_\S+\n$/);
  expect(made.stderr).toContain("shown this once");
  expect(whoami.stdout).toMatch(/^Role +viewer$/m);
  expect([forbidden.code, refused.code]).toEqual([2, 2]);
  expect(forbidden.stderr).toContain("does not allow it");
  expect(list.stdout).toMatch(/^ci +viewer +all +in \d+ d|^ci +viewer +all +\d{4}-/m);
  expect(list.stdout).not.toContain(made.stdout.trim());
  expect(revoked.stdout).toBe('Revoked token "ci"\n');
  expect(all.stdout).toMatch(/^ci +viewer +all +revoked/m);
  expect(refused.stderr).toStartWith('The token "ci" was revoked; log in with');
});

test("a login is kept for its owner alone, used by itself, and forgotten", async () => {
  const environment = { HOME: home };
  const file = join(home, ".config/fastlane/logins.json");

  const wrong = await fastlane(["login", secured.url], { environment, input: "fl_wrong\n" });
  const right = await fastlane(["login", secured.url], { environment, input: `${token}\n` });
  const { mode } = await stat(file);
  const used = await fastlane(["whoami", "--json"], { environment });
  const out = await fastlane(["logout"], { environment });
  const none = await fastlane(["logout"], { environment });
  const open = await fastlane(["login", app.url], { environment, input: `${token}\n` });

  expect([wrong.code, right.code, out.code, none.code, open.code]).toEqual([2, 0, 0, 2, 2]);
  expect(wrong.stderr).toBe("This is no token: it is cut off, or mistyped\n");
  expect(right.stdout).toBe(`Logged in to ${secured.url} as root, admin\n`);
  expect((mode & 0o777).toString(8)).toBe("600");
  expect(JSON.parse(used.stdout)).toMatchObject({ kind: "token", name: "root", role: "admin" });
  for (const { stdout, stderr } of [wrong, right, used, out, open]) {
    expect(stdout + stderr).not.toContain(token);
  }
});
