import { expect, test } from "bun:test";
import { createKeyring, newKeyLine } from "../../src/core/keyring.ts";
import { sealEnvs } from "../../src/payload/sealed.ts";
import { startApi } from "../support/api.ts";

const JOB = "c1f4a8de-3b8c-4a41-9a5e-0f7b6f1f9d21";
const WHOLE = {
  image: "busybox:1.2",
  command: "sh -c 'echo \"$A\"'",
  envs: { A: "b", DB_PASSWORD: "s3cret" },
  metadata: { of: ["us"] },
  pullPolicy: "missing",
  cron: "0 3 * * *",
  timezone: "Europe/Berlin",
  overlap: "skip",
  catchUp: "last",
  retries: 2,
  backoff: { minMs: 5, factor: 3, maxMs: 50, jitter: false },
  retryOn: [3],
  timeout: 60,
  priority: 7,
  concurrencyKey: "k",
  concurrencyLimit: 2,
  onHostLost: "rerun",
  resources: { cpus: 0.5, memory: "64m", pids: 99 },
  notify: { fails: ["ops@example.com"] },
  webhooks: { finishes: [{ url: "https://example.com/hook", headers: { "X-A": "s3cret" } }] },
};

test("what is exported makes the same schedules elsewhere, once however often it is imported", async () => {
  await using here = await startApi();
  await using there = await startApi();
  const put = (path: string, payload: unknown) =>
    here.ask(path, null, { method: "PUT", body: JSON.stringify(payload) });
  const made = await put(`/tasks/nightly/jobs/${JOB}`, WHOLE);
  await put(`/tasks/once/jobs/${crypto.randomUUID()}`, {
    image: "busybox",
    command: "true",
    startAt: "2099-01-01T00:00:00Z",
  });
  const host = "unix:///var/run/docker.sock";
  await here.ask("/docker-executor/blacklist", null, {
    method: "POST",
    body: JSON.stringify({ host }),
  });
  const exportOf = async (api: typeof here, query = "") =>
    await (await api.ask(`/export/${query}`)).text();
  const importTo = async (body: string, query = "") => {
    const answer = await there.ask(`/import/${query}`, null, { method: "POST", body });
    return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) };
  };

  const document = await exportOf(here);
  const tried = await importTo(document, "?dryRun=true");
  const before = await exportOf(there);
  const first = await importTo(document);
  const second = await importTo(document);

  expect(made.status).toBe(200);
  const outcomes = (outcome: string) => [
    expect.objectContaining({ taskId: "nightly", jobId: JOB, outcome }),
    expect.objectContaining({ taskId: "once", outcome }),
  ];
  expect(tried).toMatchObject({ dryRun: true, jobs: outcomes("made"), blacklisted: [host] });
  expect(JSON.parse(before).schedules).toEqual([]);
  expect(first).toMatchObject({ jobs: outcomes("made"), blacklisted: [host] });
  expect(second).toMatchObject({ jobs: outcomes("unchanged"), blacklisted: [] });
  expect(await exportOf(there)).toBe(document);
  const [{ payload }] = JSON.parse(document).schedules;
  expect(payload).toEqual({ ...WHOLE, command: ["sh", "-c", 'echo "$A"'] });

  const shared = await exportOf(here, "?withoutSecrets=true");
  expect([document.includes("s3cret"), shared.includes("s3cret")]).toEqual([true, false]);
  const audit = await (await there.ask("/audit/?action=import")).json();
  expect((audit as { items: unknown[] }).items).toHaveLength(1);
});

test("an import with anything wrong makes nothing, and names the place", async () => {
  await using api = await startApi();
  const schedule = (jobId: string, payload: unknown) => ({ taskId: "t", jobId, payload });
  const body = {
    format: 1,
    schedules: [schedule(JOB, WHOLE), schedule(crypto.randomUUID(), { image: "busybox", cron: 5 })],
  };
  const send = async (document: unknown) => {
    const answer = await api.ask("/import/", null, {
      method: "POST",
      body: JSON.stringify(document),
    });
    return [answer.status, await answer.text()];
  };

  const wrong = await send(body);
  const other = await send({ ...body, format: 2 });
  const noTask = await send({ format: 1, schedules: [{ ...schedule(JOB, WHOLE), taskId: "a/b" }] });
  const none = await send({ format: 1 });

  expect(noTask).toEqual([400, expect.stringContaining("schedules.0.taskId")]);
  expect(wrong).toEqual([400, expect.stringContaining("schedules.1.payload.cron")]);
  expect(other).toEqual([400, expect.stringContaining('\\"format\\" must be 1')]);
  expect(none).toEqual([400, expect.stringContaining('\\"schedules\\" must be given')]);
  expect(await api.store.sql`SELECT FROM fastlane.jobs`).toHaveLength(0);
});

test("what the configuration refuses is named by its place, also by a dry run", async () => {
  await using api = await startApi();
  const payload = { image: "busybox", command: "true", cron: "0 3 * * *" };
  await api.ask(`/tasks/here/jobs/${JOB}`, null, { method: "PUT", body: JSON.stringify(payload) });
  const tried = async (...schedules: object[]) => {
    const body = JSON.stringify({ format: 1, schedules });
    const answer = await api.ask("/import/?dryRun=true", null, { method: "POST", body });
    return [answer.status, ((await answer.json()) as { error: string }).error];
  };

  const other = { taskId: "elsewhere", jobId: crypto.randomUUID(), payload };
  const login = { ...other, payload: { ...payload, registryAuth: "none" } };
  expect(await tried(other, login)).toEqual([
    400,
    expect.stringMatching(/^Cannot import: "schedules\.1\.payload\.registryAuth" must be/),
  ]);
  expect(await tried({ ...other, jobId: JOB })).toEqual([
    409,
    `Job "${JOB}" is there, in another task`,
  ]);
});

test("a job by its id in capital letters is the same, and what is secret of it can be read", async () => {
  await using api = await startApi();
  const schedules = [{ taskId: "t", jobId: JOB.toUpperCase(), payload: WHOLE }];
  const body = JSON.stringify({ format: 1, schedules });

  const imported = await api.ask("/import/", null, { method: "POST", body });

  expect(await imported.json()).toMatchObject({ jobs: [{ jobId: JOB, outcome: "made" }] });
  const exported = await (await api.ask("/export/")).json();
  expect(exported).toMatchObject({ schedules: [{ jobId: JOB, payload: { envs: WHOLE.envs } }] });
});

test("a job whose key is lost is named by an export, and made again by an import", async () => {
  await using api = await startApi();
  const lost = sealEnvs({ A: "b" }, JOB, createKeyring(newKeyLine()));
  const schedules = [{ taskId: "t", jobId: JOB, payload: WHOLE }];
  const body = JSON.stringify({ format: 1, schedules });
  await api.ask("/import/", null, { method: "POST", body });
  const envs = JSON.stringify(lost);
  await api.store.sql`
    UPDATE fastlane.jobs SET request = jsonb_set(request, '{envs}', ${envs}::text::jsonb)`;

  const refused = await api.ask("/export/");
  const imported = await api.ask("/import/", null, { method: "POST", body });
  const exported = await api.ask("/export/");

  expect([refused.status, await refused.text()]).toEqual([
    409,
    expect.stringContaining(`Cannot export job \\"${JOB}\\" of task \\"t\\": what is secret`),
  ]);
  expect(await imported.json()).toMatchObject({ jobs: [{ jobId: JOB, outcome: "replaced" }] });
  expect(await exported.json()).toMatchObject({ schedules: [{ payload: { envs: WHOLE.envs } }] });
});
