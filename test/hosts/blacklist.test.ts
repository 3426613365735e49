import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { type DockerProxy, startDockerProxy } from "../support/docker-proxy.ts";
import { testEngine } from "../support/engine.ts";
import { getHost, getWhy, type HostJson, sendJson, untilHost } from "../support/hosts.ts";
import { migratedDatabase } from "../support/store.ts";

/** Two hosts by their names, which lead to one engine. */
let one: DockerProxy;
let two: DockerProxy;
beforeAll(async () => {
  const { host } = await testEngine();
  one = await startDockerProxy(host);
  two = await startDockerProxy(host);
});
afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
});

const config = () => ({
  dockerHosts: [{ match: "", hosts: [one.host, two.host], maxRunning: 20 }],
});
const hostsOf = async (enqueued: Enqueued[]) =>
  await Promise.all(enqueued.map(async (each) => (await untilEnded(each)).metadata.docker_host));

test("a blacklisted host finishes what it runs and gets nothing new, on all nodes and over restarts", async () => {
  await using database = await migratedDatabase();
  const first = await startTestApp({ config: config(), database });
  await untilHost(first.url, one.host, ({ available }) => available);
  await untilHost(first.url, two.host, ({ available }) => available);
  const running = await enqueue(first.url, "t", {
    command: ["sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.05; done"],
  });
  const { metadata } = await untilExecution(running, ({ status }) => status === "running");
  const busy = metadata.docker_host === one.host ? one : two;
  const free = busy === one ? two : one;

  const answer = await sendJson("POST", `${first.url}/docker-executor/blacklist`, {
    host: busy.host,
  });
  await first[Symbol.asyncDispose]();
  await using second = await startTestApp({ config: config(), database });
  await using third = await startTestApp({
    config: config(),
    database,
    roles: { api: true, worker: false },
  });
  for (const { host } of [free, busy]) {
    await untilHost(second.url, host, ({ available }) => available);
  }
  const jobs = [];
  for (let i = 0; i < 4; i++) {
    jobs.push(await enqueue(i % 2 ? second.url : third.url, "t", { command: "true" }));
  }

  expect(answer).toMatchObject({ status: 200, body: { name: busy.host, blacklisted: true } });
  expect(await hostsOf(jobs)).toEqual(Array(4).fill(free.host));
  const { docker } = await testEngine();
  const container = docker.getContainer(`fastlane-job-${running.executionId}`);
  await (await container.exec({ Cmd: ["touch", "/tmp/go"] })).start({});
  expect(await untilEnded({ ...running, executionUrl: moved(running, second.url) })).toMatchObject({
    status: "done",
  });
  const status = (await (await fetch(`${third.url}/status/`)).json()) as { hosts: HostJson[] };
  const shown = status.hosts.map(({ name, blacklisted }) => [name, blacklisted]);
  expect(Object.fromEntries(shown)).toEqual({ [busy.host]: true, [free.host]: false });

  await sendJson("PUT", `${second.url}/docker-executor/blacklist/`, { host: free.host });
  const waits = await enqueue(second.url, "t", { command: "true" });
  const why = await getWhy(waits.executionUrl);
  await sendJson("DELETE", `${second.url}/docker-executor/blacklist`, { host: busy.host });
  expect(why.summary).toContain("blacklisted since");
  expect(await hostsOf([waits])).toEqual([busy.host]);
}, 120_000);

test.each([
  [{ host: "10.9.9.9:2375" }, 'No host "10.9.9.9:2375" is configured: the hosts are '],
  [{}, 'Cannot change the blacklist: "host" must be given'],
  [{ host: "" }, 'Cannot change the blacklist: "host" must not be empty'],
  [{ host: "x", color: 1 }, '"color" is not a known key; the keys are host'],
])("blacklisting %j is refused, and says why", async (body, sentence) => {
  await using app = await startTestApp({
    config: config(),
    roles: { api: true, worker: false },
  });

  for (const method of ["POST", "PUT", "DELETE"] as const) {
    const answer = await sendJson(method, `${app.url}/docker-executor/blacklist/`, body);
    expect(answer.status).toBe(400);
    expect(answer.body["error"]).toContain(sentence);
  }
});

test("a drain tells what it waits for, and at its deadline stops it or has it run elsewhere", async () => {
  await using app = await startTestApp({ config: config() });
  await untilHost(app.url, one.host, ({ available }) => available);
  await sendJson("POST", `${app.url}/docker-executor/blacklist`, { host: two.host });
  const sleeper = {
    command: ["sh", "-c", "trap 'echo bye; exit 7' TERM; echo on; sleep 600 & wait"],
  };
  const [fails, reruns] = [
    await enqueue(app.url, "t", sleeper),
    await enqueue(app.url, "t", { ...sleeper, onHostLost: "rerun" }),
  ];
  for (const each of [fails, reruns]) await untilExecution(each, ({ log }) => log === "on\n");
  await sendJson("DELETE", `${app.url}/docker-executor/blacklist`, { host: two.host });

  const patient = await sendJson("POST", `${app.url}/hosts/drain/`, { host: one.host });
  const still = await untilExecution(fails, () => true);
  const deadline = new Date(Date.now() + 500).toISOString();
  const urgent = await sendJson("POST", `${app.url}/hosts/drain/`, { host: one.host, deadline });
  const again = await sendJson("POST", `${app.url}/hosts/drain/`, { host: one.host });
  const failed = await untilEnded(fails);
  const moved = await untilExecution(reruns, ({ metadata, log }) => {
    return metadata.docker_host === two.host && log.endsWith("on\n");
  });

  const never = await sendJson("POST", `${app.url}/hosts/drain/`, {
    host: one.host,
    deadline: null,
  });
  const waitsFor = [fails, reruns].map(({ executionId }) => ({
    id: executionId,
    status: "running",
  }));
  expect(patient).toMatchObject({ status: 200, body: { deadline: null, waitsFor } });
  expect(still.status).toBe("running");
  expect(urgent.body).toMatchObject({ name: one.host, blacklisted: true, deadline, waitsFor });
  expect(again.body).toMatchObject({ deadline });
  expect(never.body).toMatchObject({ deadline: null, waitsFor: [] });
  expect(failed).toMatchObject({ status: "failed", failureCause: "host_lost", exitCode: 7 });
  expect(failed.log).toBe("on\nbye\n");
  expect(moved.log).toBe("on\nbye\non\n");
  expect((await getHost(app.url, one.host)).reconciliation).toMatchObject({ lost: 2 });
});

/** The same execution by another node. */
function moved({ executionUrl }: Enqueued, url: string): string {
  return executionUrl.replace(/^http:\/\/[^/]+/, url);
}
