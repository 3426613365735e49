import { afterAll, beforeAll, expect, test } from "bun:test";
import { swarmName } from "../../src/core/swarm-name.ts";
import { EngineRefusal } from "../../src/farm/host.ts";
import { swarmHost } from "../../src/farm/swarm-host.ts";
import { eventually } from "../support/client.ts";
import { recordStarts } from "../support/containers.ts";
import { startSwarm, type TestSwarm } from "../support/swarm.ts";

let swarm: TestSwarm;

beforeAll(async () => {
  swarm = await startSwarm();
}, 120_000);

afterAll(() => swarm[Symbol.asyncDispose](), 120_000);

const specOf = (executionId: string, words: string[]) => ({
  name: `fastlane-job-${executionId}`,
  image: "busybox:latest",
  words,
  envs: {},
  labels: { "fastlane.installation": "farm", "fastlane.execution": executionId },
});

test("a service is created once under its name, and runs nothing until it is started", async () => {
  const host = swarmHost(swarmName(swarm.manager.host));
  const id = crypto.randomUUID();

  const created = await Promise.all([1, 2, 3].map(() => host.create(specOf(id, ["true"]))));

  const [serviceId = "", ...others] = created.filter((one) => one !== null);
  expect(others).toEqual([]);
  expect(await host.inspect(`fastlane-job-${id}`)).toMatchObject({
    id: serviceId,
    phase: "created",
  });
  expect(await swarm.containersOf(id)).toEqual([]);
  await host.remove(serviceId, { force: false });
  expect(await host.inspect(serviceId)).toBeNull();
});

test("a service that several start at once runs once, and not again when it has ended", async () => {
  await using onManager = await recordStarts(swarm.manager.docker);
  await using onWorker = await recordStarts(swarm.worker.docker);
  const hosts = [1, 2, 3].map(() => swarmHost(swarmName(swarm.manager.host)));
  const [host] = hosts;
  if (host === undefined) throw new Error("no host");
  const id = crypto.randomUUID();
  const serviceId = (await host.create(specOf(id, ["sh", "-c", "exit 6"]))) ?? "";

  await Promise.all(hosts.map((one) => one.start(serviceId)));
  const state = await eventually(
    async () => {
      const found = await host.inspect(serviceId);
      return found?.phase === "ended" ? found : undefined;
    },
    () => "the service has not ended",
  );
  await host.start(serviceId);

  expect(state).toMatchObject({ exitCode: 6 });
  expect(onManager.of(id) + onWorker.of(id)).toBe(1);
  await host.remove(serviceId, { force: true });
});

test("a service that is being started is not taken away without force", async () => {
  const host = swarmHost(swarmName(swarm.manager.host));
  const serviceId = (await host.create(specOf(crypto.randomUUID(), ["sleep", "60"]))) ?? "";
  await host.start(serviceId);

  const removal = host.remove(serviceId, { force: false });

  await expect(removal).rejects.toThrow(`The service ${serviceId} is started`);
  expect(await host.inspect(serviceId)).toMatchObject({ phase: "running" });
  await host.remove(serviceId, { force: true });
});

test("a former owner cannot start what was taken away meanwhile", async () => {
  const host = swarmHost(swarmName(swarm.manager.host));
  const id = crypto.randomUUID();
  const first = (await host.create(specOf(id, ["true"]))) ?? "";
  await host.remove(first, { force: false });
  const second = (await host.create(specOf(id, ["true"]))) ?? "";

  await expect(host.start(first)).rejects.toThrow(`The service ${first} is gone`);

  expect(await host.inspect(second)).toMatchObject({ phase: "created" });
  await host.remove(second, { force: false });
});

test("a network that is not there is refused, and no fault of the swarm", async () => {
  const host = swarmHost(swarmName(swarm.manager.host));

  const created = host.create({ ...specOf(crypto.randomUUID(), ["true"]), network: "nowhere" });

  await expect(created).rejects.toBeInstanceOf(EngineRefusal);
  await expect(created).rejects.toThrow("network nowhere not found");
});

test("a pull asks the image's registry alone, and fails in its words", async () => {
  const host = swarmHost(swarmName(swarm.manager.host));

  const pulled = host.pull({
    image: "127.0.0.1:1/away:1",
    login: null,
    signal: new AbortController().signal,
    onProgress() {},
  });

  await expect(pulled).rejects.toMatchObject({ name: "PullFailed", failure: "registry_busy" });
  await expect(pulled).rejects.toThrow(/^Get "http.*connection refused$/);
});

test("an engine that is no manager is out of reach, and says what to do", async () => {
  const worker = swarmHost(swarmName(swarm.worker.host));
  await expect(worker.version()).rejects.toThrow(
    "the engine is a worker of its swarm and cannot place services; name a manager",
  );

  await swarm.worker.docker.swarmLeave({ force: true });

  await expect(worker.version()).rejects.toThrow(
    'the engine is in no swarm that works (its state is inactive); make it one by "docker swarm init"',
  );
});
