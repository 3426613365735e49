import { expect, test } from "bun:test";
import { INSTALLATION_LABEL, labelsOf } from "../../src/farm/labels.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { testEngine } from "../support/engine.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { migratedDatabase, testStore } from "../support/store.ts";
import { about, look, theOne } from "./look.ts";

const engine = await testEngine();
const poolOf = (...hosts: string[]) => [{ match: "", hosts }];

async function containersOf(installation: string) {
  const filters = { label: [`${INSTALLATION_LABEL}=${installation}`] };
  return await engine.docker.listContainers({ all: true, filters });
}

test("a host that is well shows it by a canary, which leaves nothing behind", async () => {
  await using database = await migratedDatabase();
  const config = { databaseUrl: database.url, dockerHosts: poolOf(engine.host) };

  const found = await look({ config, withCanary: true });

  const lines = about(found, `host ${engine.host}`);
  expect(lines.filter((line) => line.startsWith("problem"))).toEqual([]);
  expect(lines).toContainEqual(expect.stringMatching(/^ok: engine .* answers within/));
  expect(lines).toContainEqual(expect.stringMatching(/^ok: a container ran there/));
  expect(lines).toContainEqual(expect.stringMatching(/are free where its containers write/));
  expect(await containersOf(database.installation)).toEqual([]);
});

test("without canaries no container is made", async () => {
  await using database = await migratedDatabase();
  await using proxy = await startDockerProxy(engine.host);
  const config = { databaseUrl: database.url, dockerHosts: poolOf(proxy.host) };

  const found = await look({ config, withCanary: false });

  expect(about(found, `host ${proxy.host}`)).toContainEqual(expect.stringMatching(/^ok: engine/));
  expect(proxy.calls.filter((call) => !call.startsWith("GET"))).toEqual([]);
});

test.each([
  ["is made", /^POST .*\/create/],
  ["starts", /^POST .*\/start/],
])("a canary goes even when the doctor is told to stop while it %s", async (_, call) => {
  await using database = await migratedDatabase();
  await using proxy = await startDockerProxy(engine.host);
  const held = proxy.delay(call);
  const asked = new AbortController();
  const config = { databaseUrl: database.url, dockerHosts: poolOf(proxy.host) };
  const looking = look({ config, withCanary: true, signal: asked.signal });
  await held.reached;

  asked.abort();
  held.release();
  const found = await looking;

  expect(theOne(found, `host ${proxy.host}`, /given up/).level).toBe("problem");
  expect(await containersOf(database.installation)).toEqual([]);
});

test("what says nothing is told of at its deadline, and holds up nothing else", async () => {
  await using postgresHole = await startFaultProxy({ target: { host: "127.0.0.1", port: 1 } });
  await using engineHole = await startFaultProxy({ target: { host: "127.0.0.1", port: 1 } });
  await postgresHole.set("hole");
  await engineHole.set("hole");
  const silent = `tcp://127.0.0.1:${engineHole.port}`;
  const config = {
    databaseUrl: `postgres://u:p@127.0.0.1:${postgresHole.port}/d`,
    dockerHosts: poolOf(silent, "tcp://127.0.0.1:1", engine.host),
  };

  const found = await look({ config });

  expect(theOne(found, "Postgres", /takes the connection and says nothing/).level).toBe("problem");
  expect(theOne(found, `host ${silent}`, /no answer within/)).toMatchObject({
    level: "problem",
    advice: expect.any(String),
  });
  expect(theOne(found, "host tcp://127.0.0.1:1", /nothing listens there/).level).toBe("problem");
  expect(about(found, `host ${engine.host}`)).toContainEqual(expect.stringMatching(/^ok: engine/));
  const order = found.map(({ subject }) => subject).filter((subject) => /^host/.test(subject));
  expect([...new Set(order)]).toEqual([
    `host ${silent}`,
    "host tcp://127.0.0.1:1",
    `host ${engine.host}`,
  ]);
});

test("what an engine says of itself is judged", async () => {
  await using proxy = await startDockerProxy(engine.host);
  proxy.change(/^GET \/version/, { ApiVersion: "1.40" });
  proxy.change(/^GET \/info/, {
    SystemTime: new Date(Date.now() + 90_000).toISOString(),
    LiveRestoreEnabled: false,
    MemoryLimit: false,
    Driver: "vfs",
    Warnings: ["[DEPRECATION NOTICE]: API is accessible on http://0.0.0.0:2375 without encryption"],
  });

  const found = await look({ config: { dockerHosts: poolOf(proxy.host) } });

  for (const words of [/API 1.40 is too old/, /clock is .* ahead/, /without encryption/]) {
    const { level, advice } = theOne(found, `host ${proxy.host}`, words);
    expect([level, typeof advice]).toEqual(["problem", "string"]);
  }
  for (const words of [/live-restore is off/, /cannot limit memory of/, /storage driver vfs/]) {
    const { level, advice } = theOne(found, `host ${proxy.host}`, words);
    expect([level, typeof advice]).toEqual(["warning", "string"]);
  }
});

test("a runtime that a pool has and the engine does not know is a problem", async () => {
  const pool = (match: string, runtime: string) => ({
    match,
    hosts: [engine.host],
    containers: { runtime },
  });
  const dockerHosts = [pool("^a", "nowhere"), pool("^b", "runc"), pool("", "io.containerd.x.v2")];

  const found = await look({ config: { dockerHosts } });

  expect(theOne(found, `host ${engine.host}`, /does not know the runtime nowhere/).level).toBe(
    "problem",
  );
  expect(about(found, `host ${engine.host}`).join()).not.toMatch(/runtime (runc|io)/);
});

test("a clock that is some seconds late is a warning", async () => {
  await using proxy = await startDockerProxy(engine.host);
  proxy.change(/^GET \/info/, { SystemTime: new Date(Date.now() - 4_000).toISOString() });

  const found = await look({ config: { dockerHosts: poolOf(proxy.host) } });

  expect(theOne(found, `host ${proxy.host}`, /clock is .* behind/).level).toBe("warning");
});

test("a host that answers and cannot run a container is a problem", async () => {
  await using database = await migratedDatabase();
  await using proxy = await startDockerProxy(engine.host);
  proxy.answer(/^POST .*\/start/, 500, "OCI runtime create failed: no space left on device");
  const config = { databaseUrl: database.url, dockerHosts: poolOf(proxy.host) };

  const found = await look({ config, withCanary: true });

  expect(theOne(found, `host ${proxy.host}`, /does not run there.*no space left/)).toMatchObject({
    level: "problem",
    advice: expect.any(String),
  });
  expect(await containersOf(database.installation)).toEqual([]);
});

test("what answers and is no engine is a problem", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") });
  const name = `tcp://127.0.0.1:${server.port}`;

  const found = await look({ config: { dockerHosts: poolOf(name) } });
  await server.stop(true);

  expect(theOne(found, `host ${name}`, /no Docker engine/).level).toBe("problem");
});

test("an engine that is in no swarm cannot stand for one", async () => {
  const config = { dockerHosts: [{ swarm: engine.host }] };

  const found = await look({ config });

  expect(theOne(found, `host swarm+${engine.host}`, /in no swarm/)).toMatchObject({
    level: "problem",
    advice: expect.any(String),
  });
});

test("containers of ours that no row knows, and those of others, are told of", async () => {
  await using store = await testStore();
  const make = async (installation: string) => {
    const execution = { id: crypto.randomUUID(), jobId: "j", taskId: "t", placements: 1 };
    return await engine.docker.createContainer({
      Image: "busybox",
      Labels: labelsOf(installation, engine.host, execution),
    });
  };
  const made = await Promise.all([make(store.installation), make(crypto.randomUUID())]);

  const found = await look({
    config: { databaseUrl: store.url, dockerHosts: poolOf(engine.host) },
  });
  await Promise.all(made.map((container) => container.remove({ force: true })));

  const subject = `host ${engine.host}`;
  expect(theOne(found, subject, /^1 container of ours/).level).toBe("ok");
  expect(theOne(found, subject, /^1 of them is of no execution/).level).toBe("ok");
  expect(theOne(found, subject, /of other fastlanes/).level).toBe("ok");
});
