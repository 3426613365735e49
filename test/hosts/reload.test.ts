import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { openStore } from "../../src/store/connect.ts";
import { tlsAccessTo } from "../support/access.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import {
  type Enqueued,
  enqueue,
  eventually,
  getExecution,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { recordStarts, untilNoContainers } from "../support/containers.ts";
import { type DockerProxy, startDockerProxy } from "../support/docker-proxy.ts";
import { type NetworkEngine, startEngine, testEngine } from "../support/engine.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { pushAbsentImage, startFaultRegistry } from "../support/fault-registry.ts";
import { getHosts, getWhy, untilHost } from "../support/hosts.ts";
import { migratedDatabase } from "../support/store.ts";
import { startReceiver } from "../support/webhook-receiver.ts";

const UNTIL_TOLD = {
  command: ["sh", "-c", "echo begun; until [ -e /go ]; do sleep 0.05; done; echo over"],
};
const WHOLE_LOG = { status: "done", log: "begun\nover\n" };

const pool = (hosts: readonly DockerProxy[], maxRunning = 20, match = "") => ({
  match,
  hosts: hosts.map(({ host }) => host),
  maxRunning,
});

/** Two hosts, and a service that has the first. */
async function startWithTwoHosts() {
  const disposals = new AsyncDisposableStack();
  const engine = await testEngine();
  const first = disposals.use(await startDockerProxy(engine.host));
  const second = disposals.use(await startDockerProxy(engine.host));
  const app = disposals.use(await startTestApp({ config: { dockerHosts: [pool([first])] } }));
  return { engine, first, second, app, [Symbol.asyncDispose]: () => disposals.disposeAsync() };
}

/** Runs a job that ends when it is told to; resolves when it has begun. */
async function begin(app: TestApp, task = "t"): Promise<Enqueued> {
  const job = await enqueue(app.url, task, UNTIL_TOLD);
  await untilExecution(job, ({ log }) => log === "begun\n");
  return job;
}

async function tellToEnd(job: Enqueued, engine?: NetworkEngine): Promise<void> {
  const { docker } = engine ?? (await testEngine());
  const { container_id: id } = (await getExecution(job)).metadata;
  const exec = await docker.getContainer(id ?? "").exec({ Cmd: ["touch", "/go"] });
  await exec.start({});
}

interface LeaseRow {
  isHeld: boolean;
  fence: number;
}

async function leaseOf({ database }: TestApp, host: string): Promise<LeaseRow> {
  const store = openStore({ address: database.address, max: 1 });
  try {
    const rows = await store.db.execute<{ isHeld: boolean; fence: string }>(sql`
      SELECT lease_node IS NOT NULL AS "isHeld", fence FROM fastlane.hosts WHERE name = ${host}`);
    return { isHeld: rows[0]?.isHeld ?? false, fence: Number(rows[0]?.fence) };
  } finally {
    await store.close();
  }
}

test("a reload adds a host that runs what is new, and takes one out that ends what it runs", async () => {
  await using farm = await startWithTwoHosts();
  const { engine, first, second, app } = farm;
  await using starts = await recordStarts(engine.docker);
  const before = await begin(app);

  await app.reload({ dockerHosts: [pool([second])] });
  const after = await enqueue(app.url, "t", { command: "echo new" });

  expect(await untilEnded(after)).toMatchObject({
    status: "done",
    metadata: { docker_host: second.host },
  });
  expect((await getHosts(app.url)).map(({ name }) => name)).toEqual([second.host]);
  expect((await leaseOf(app, first.host)).isHeld).toBe(true);
  await tellToEnd(before);
  expect(await untilEnded(before)).toMatchObject({
    ...WHOLE_LOG,
    metadata: { docker_host: first.host },
  });
  await eventually(
    async () => ((await leaseOf(app, first.host)).isHeld ? undefined : true),
    () => "the lease of the host that was taken out is not given back",
  );
  await untilNoContainers(engine.docker, app.database.installation);
  for (const { executionId } of [before, after]) expect(starts.of(executionId)).toBe(1);
});

test("a host that comes back before what it runs has ended goes on under the same lease", async () => {
  await using farm = await startWithTwoHosts();
  const { first, second, app } = farm;
  const job = await begin(app);
  const { fence } = await leaseOf(app, first.host);

  await app.reload({ dockerHosts: [pool([second])] });
  await untilHost(app.url, second.host, ({ available }) => available);
  await app.reload({ dockerHosts: [pool([first])] });

  await tellToEnd(job);
  expect(await untilEnded(job)).toMatchObject(WHOLE_LOG);
  const next = await enqueue(app.url, "t", { command: "true" });
  expect((await untilEnded(next)).metadata.docker_host).toBe(first.host);
  expect(await leaseOf(app, first.host)).toEqual({ isHeld: true, fence });
});

test("jobs that come while hosts come and go all run, each once and with its whole log", async () => {
  await using farm = await startWithTwoHosts();
  const { engine, first, second, app } = farm;
  await using starts = await recordStarts(engine.docker);
  const jobs: Enqueued[] = [];

  for (const hosts of [[second], [first], [first, second], [second], [first]]) {
    const made = Array.from({ length: 2 }, () =>
      enqueue(app.url, "t", { command: ["sh", "-c", "echo begun; sleep 0.2; echo over"] }),
    );
    jobs.push(...(await Promise.all(made)));
    await app.reload({ dockerHosts: [pool(hosts)] });
  }

  for (const job of jobs) {
    expect(await untilEnded(job)).toMatchObject(WHOLE_LOG);
    expect(starts.of(job.executionId)).toBe(1);
  }
  await untilNoContainers(engine.docker, app.database.installation);
});

test("with a higher maxRunning what waits begins with the reload", async () => {
  await using farm = await startWithTwoHosts();
  const { first, app } = farm;
  await app.reload({ dockerHosts: [pool([first], 1)] });
  const running = await begin(app);
  const waiting = await enqueue(app.url, "t", UNTIL_TOLD);
  expect((await getWhy(waiting.executionUrl)).reasons.map(({ code }) => code)).toEqual([
    "pool_full",
  ]);

  await app.reload({ dockerHosts: [pool([first], 2)] });

  expect((await getExecution(waiting)).status).not.toBe("enqueued");
  await untilExecution(waiting, ({ log }) => log === "begun\n");
  for (const job of [running, waiting]) {
    await tellToEnd(job);
    expect(await untilEnded(job)).toMatchObject(WHOLE_LOG);
  }
});

test("what waits in a pool that a reload takes out says so, and runs when the pool is back", async () => {
  await using farm = await startWithTwoHosts();
  const { first, second, app } = farm;
  const pools = [pool([first], 1, "^a-"), pool([second])];
  await app.reload({ dockerHosts: pools });
  const running = await begin(app, "a-b");
  const waiting = await enqueue(app.url, "a-b", { command: "echo ran" });

  await app.reload({ dockerHosts: pools.slice(1) });
  await tellToEnd(running);

  expect(await untilEnded(running)).toMatchObject(WHOLE_LOG);
  expect(await getWhy(waiting.executionUrl)).toMatchObject({
    summary: 'It waits: its pool "^a-" is not in the configuration any more',
  });
  const other = await enqueue(app.url, "a-b", { command: "true" });
  expect((await untilEnded(other)).metadata.docker_host).toBe(second.host);
  await app.reload({ dockerHosts: pools });
  expect(await untilEnded(waiting)).toMatchObject({ status: "done", log: "ran\n" });
});

test("nodes that reload the same hosts share them out, the new ones among them", async () => {
  const engine = await testEngine();
  await using disposals = new AsyncDisposableStack();
  const hosts: DockerProxy[] = [];
  for (let i = 0; i < 4; i++) hosts.push(disposals.use(await startDockerProxy(engine.host)));
  const database = disposals.use(await migratedDatabase());
  const config = { dockerHosts: [pool(hosts.slice(0, 2))] };
  const nodes = [
    disposals.use(await startTestApp({ config, database })),
    disposals.use(await startTestApp({ config, database })),
  ];
  const job = await begin(nodes[0] as TestApp);

  for (const node of nodes) await node.reload({ dockerHosts: [pool(hosts)] });

  await eventually(
    async () => {
      const owners = (await getHosts(nodes[1]?.url ?? "")).flatMap(({ available, lease }) =>
        available ? (lease?.nodeId ?? []) : [],
      );
      const counts = Object.values(Object.groupBy(owners, (id) => id)).map((of) => of?.length);
      return counts.join() === "2,2" ? true : undefined;
    },
    () => "the hosts are not shared out",
  );
  await tellToEnd(job);
  expect(await untilEnded(job)).toMatchObject(WHOLE_LOG);
});

test("a reload that is wrong changes nothing, whichever of its parts is wrong", async () => {
  await using farm = await startWithTwoHosts();
  const { first, second, app } = farm;
  await using receiver = await startReceiver();
  // JavaScript knows this, Postgres does not.
  const wrong = { match: "\\p{L}", events: ["finishes" as const], url: receiver.url };

  const reload = app.reload({ dockerHosts: [pool([second])], webhooks: [wrong] });

  await expect(reload).rejects.toThrow("webhooks.0.match must be a regular expression");
  const job = await enqueue(app.url, "t", { command: "true" });
  expect((await untilEnded(job)).metadata.docker_host).toBe(first.host);
  expect((await getHosts(app.url)).map(({ name }) => name)).toEqual([first.host]);
  expect(receiver.requests).toEqual([]);
});

test("while Postgres is away a reload is refused, and the next one counts", async () => {
  await using database = await migratedDatabase();
  const { hostname: host, port } = new URL(database.url);
  await using proxy = await startFaultProxy({ target: { host, port: Number(port) } });
  await using app = await startTestApp({
    database,
    config: { databaseUrl: proxy.url(database.url) },
  });
  const [before] = await getHosts(app.url);
  const dockerHosts = [{ match: "", hosts: ["tcp://127.0.0.9:2375"], maxRunning: 1 }];
  await proxy.set("refuse");
  proxy.cut();

  const refused = app.reload({ dockerHosts });

  await expect(refused).rejects.toThrow("Postgres does not answer: reload again when it does");
  await proxy.set("pass");
  const names = async () => (await getHosts(app.url)).map(({ name }) => name);
  expect(
    await eventually(
      () => names().catch(() => undefined),
      () => "no answer",
    ),
  ).toEqual([before?.name ?? ""]);
  await app.reload({ dockerHosts });
  expect(await names()).toEqual(["tcp://127.0.0.9:2375"]);
});

test("a host that is reached in another way is attended to anew, and what runs there goes on", async () => {
  await using engine = await startEngine({ network: true, listen: "tls" });
  const name = `https://${engine.address}:2376`;
  const right = tlsAccessTo(engine);
  const config = {
    dockerHosts: [{ match: "", hosts: [name], maxRunning: 1 }],
    hostAccess: { [name]: { ...right, caFile: "/dev/null" } },
  };
  await using app = await startTestApp({ config });
  await untilHost(app.url, name, ({ error }) => error !== null);

  await app.reload({ ...config, hostAccess: { [name]: right } });
  const job = await begin(app);
  const before = await leaseOf(app, name);
  const otherPath = `${engine.folder}/tls/../tls/ca.pem`;
  await app.reload({ ...config, hostAccess: { [name]: { ...right, caFile: otherPath } } });

  await eventually(
    async () => ((await leaseOf(app, name)).fence > before.fence ? true : undefined),
    () => "the host is not taken anew",
  );
  await tellToEnd(job, engine);
  expect(await untilEnded(job)).toMatchObject(WHOLE_LOG);
});

test("the API alone decides by what it has reloaded", async () => {
  await using api = await startTestApp({
    config: { dockerHosts: [{ match: "^a$", hosts: ["tcp://10.0.0.7:2375"], maxRunning: 1 }] },
    roles: { api: true, worker: false },
  });
  const post = (task: string, payload: object) =>
    fetch(`${api.url}/tasks/${task}/`, {
      method: "POST",
      body: JSON.stringify({ image: "busybox", command: "true", ...payload }),
    });
  expect((await post("b", {})).status).toBe(400);

  await api.reload({
    dockerHosts: [
      {
        match: "^b$",
        hosts: ["tcp://10.0.0.8:2375"],
        maxRunning: 1,
        allow: { networks: [], users: ["nobody"], workdir: false, additionalDNSEntries: false },
      },
    ],
    registries: { builder: { registry: "docker.io", username: "ada", password: "secret" } },
  });

  expect((await post("b", { user: "nobody", registryAuth: "builder" })).status).toBe(200);
  expect((await post("a", {})).status).toBe(400);
  expect((await getHosts(api.url)).map(({ name }) => name)).toEqual(["tcp://10.0.0.8:2375"]);
});

test("the next pull has the login that was reloaded", async () => {
  const engine = await testEngine();
  await using registry = await startFaultRegistry(engine, { ada: "correct-horse" });
  const login = { username: "ada", password: "correct-horse" };
  const { image } = await pushAbsentImage(engine.docker, registry, login);
  const loginOf = (password: string) => ({
    registries: { mine: { registry: registry.name, username: "ada", password } },
  });
  await using app = await startTestApp({ config: loginOf("out-of-date") });
  const payload = { image, pullPolicy: "always", command: "true" };
  const denied = await enqueue(app.url, "t", payload);
  expect(await untilEnded(denied)).toMatchObject({ failureCause: "pull_denied" });

  await app.reload(loginOf("correct-horse"));

  const job = await enqueue(app.url, "t", payload);
  expect(await untilEnded(job)).toMatchObject({ status: "done" });
});

test("the next end is told to the webhooks that were reloaded, and to no others", async () => {
  await using earlier = await startReceiver();
  await using later = await startReceiver();
  const to = ({ url }: { url: string }) => ({
    webhooks: [{ match: "", events: ["succeeds" as const], url }],
  });
  await using app = await startTestApp({ config: { webhooksAllowPrivate: true, ...to(earlier) } });
  await untilEnded(await enqueue(app.url, "t", { command: "true" }));
  await earlier.received(1);

  await app.reload(to(later));

  const job = await enqueue(app.url, "t", { command: "true" });
  const [request] = await later.received(1);
  expect(JSON.parse(request?.body ?? "")).toMatchObject({ executionId: job.executionId });
  expect(earlier.requests).toHaveLength(1);
});
