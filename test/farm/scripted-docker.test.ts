/*
 * What fastlane depends on in an engine, asked of a real one and of the scripted one alike: what is
 * shown with scripted engines would be worth nothing if they behaved otherwise.
 */
import { afterAll, describe, expect, test } from "bun:test";
import Docker from "dockerode";
import type { LogFrame } from "../../src/core/log-frames.ts";
import { dockerHost } from "../../src/farm/docker-host.ts";
import { type ContainerEvent, EngineRefusal, type Host } from "../../src/farm/host.ts";
import { containerNameOf } from "../../src/farm/labels.ts";
import { eventually } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { startScriptedFarm } from "../support/scripted-docker/farm.ts";

const farm = await startScriptedFarm(1);
afterAll(() => farm[Symbol.asyncDispose]());

const engines = [
  ["a real engine", (await testEngine()).host],
  ["the scripted engine", farm.hosts[0] ?? ""],
] as const;

describe.each(engines)("%s", (_, name) => {
  const host = dockerHost(name);
  const docker = new Docker({ socketPath: name.replace("unix://", "") });

  test("makes one container of a name", async () => {
    await using container = await created(host, ["true"]);

    expect(await host.create(container.spec)).toBeNull();
    expect((await host.inspect(container.spec.name))?.id).toBe(container.id);
  });

  test("tells a container that was created from one that runs and one that has ended", async () => {
    await using container = await created(host, ["sh", "-c", "sleep 0.5; exit 3"]);

    const before = await host.inspect(container.id);
    await host.start(container.id);
    const during = await host.inspect(container.id);
    await docker.getContainer(container.id).wait();
    const after = await host.inspect(container.id);

    expect(before).toMatchObject({ phase: "created", startedAt: null, finishedAt: null });
    expect(before?.labels).toMatchObject(container.spec.labels);
    expect(during).toMatchObject({ phase: "running", finishedAt: null });
    expect(after).toMatchObject({ phase: "ended", exitCode: 3, oomKilled: false, error: "" });
    const { startedAt, finishedAt } = after ?? {};
    expect((finishedAt?.getTime() ?? 0) - (startedAt?.getTime() ?? 0)).toBeGreaterThanOrEqual(450);
  });

  test("takes a second start of a running container for done, and runs an ended one again", async () => {
    await using container = await created(host, ["sleep", "0.5"]);
    const known = docker.getContainer(container.id);

    await host.start(container.id);
    const second = await known.start().catch((error: { statusCode: number }) => error.statusCode);
    await known.wait();
    const first = await host.inspect(container.id);
    await known.start();
    const again = await host.inspect(container.id);

    expect(second).toBe(304);
    expect(again?.phase).toBe("running");
    expect(again?.startedAt?.getTime()).toBeGreaterThan(first?.startedAt?.getTime() ?? 0);
  });

  test("answers a wait for a container that was not started with exit code 0", async () => {
    await using container = await created(host, ["false"]);

    expect(await docker.getContainer(container.id).wait()).toMatchObject({ StatusCode: 0 });
  });

  test("keeps the log of both streams, whole after the end, and from a moment on", async () => {
    const words = ["sh", "-c", "echo out; sleep 0.2; echo err >&2; sleep 0.2; printf rest"];
    await using container = await created(host, words);
    const never = new AbortController().signal;
    const read = async (options: { follow: boolean; since?: LogFrame["at"] }) =>
      (
        await Array.fromAsync(host.logs(container.id, { since: null, signal: never, ...options }))
      ).flat();

    await host.start(container.id);
    const followed = await read({ follow: true });
    const whole = await read({ follow: false });
    const err = whole[1]?.at ?? { seconds: 0, nanos: 0 };
    const later = await read({ follow: false, since: err });

    expect(texts(followed).slice(0, 2)).toEqual(["stdout out\n", "stderr err\n"]);
    expect(texts(whole)).toEqual(["stdout out\n", "stderr err\n", "stdout rest"]);
    expect(later).toEqual(whole.slice(1));
  });

  test("passes on how the output ends to who watched it from before the start", async () => {
    await using container = await created(host, ["sh", "-c", "printf out; echo err >&2"]);
    const output = await host.watchOutput(container.id, new AbortController().signal);

    await host.start(container.id);
    await docker.getContainer(container.id).wait();

    expect(await output.endedWithNewline("stdout")).toBe(false);
    expect(await output.endedWithNewline("stderr")).toBe(true);
  });

  test("refuses to remove what runs unless it is forced, and removes the rest", async () => {
    await using container = await created(host, ["sleep", "30"]);
    await host.start(container.id);

    const refused = host.remove(container.id, { force: false });
    expect(await statusOf(refused)).toBe(409);
    await host.remove(container.id, { force: true });
    await host.remove(container.id, { force: false });

    expect(await host.inspect(container.id)).toBeNull();
  });

  test("kills what is still there after a stop's grace", async () => {
    await using container = await created(host, ["sleep", "30"]);
    await host.start(container.id);

    await host.stop(container.id, 1);
    await host.stop(container.id, 1);

    expect(await host.inspect(container.id)).toMatchObject({ phase: "ended", exitCode: 137 });
  });

  test("lists containers by a label's value", async () => {
    await using mine = await created(host, ["true"]);
    await using _others = await created(host, ["true"]);

    const listed = await host.list("test", mine.spec.labels.test);

    expect(listed).toEqual([{ id: mine.id, labels: expect.anything(), phase: "created" }]);
  });

  test("tells of ends and removals as they come, by label", async () => {
    await using mine = await created(host, ["true"]);
    await using others = await created(host, ["true"]);
    const stop = new AbortController();
    const heard: ContainerEvent[] = [];
    const open = Promise.withResolvers<void>();
    const listening = (async () => {
      const options = { signal: stop.signal, onOpen: open.resolve };
      for await (const event of host.events("test", mine.spec.labels.test, options)) {
        heard.push(event);
      }
    })().catch(() => {});
    await open.promise;

    for (const { id } of [others, mine]) {
      await host.start(id);
      await docker.getContainer(id).wait();
    }
    await host.remove(mine.id, { force: false });
    await eventually(
      () => (heard.length >= 2 ? true : undefined),
      () => `heard ${Bun.inspect(heard)}`,
    );
    stop.abort();
    await listening;

    const event = { containerId: mine.id, executionId: mine.spec.labels["fastlane.execution"] };
    expect(heard).toEqual([event, event]);
  });

  test("says no to a program that is not there, and keeps the container as created", async () => {
    await using container = await created(host, ["no-such-program"]);

    expect(await statusOf(host.start(container.id))).toBe(400);
    const state = await host.inspect(container.id);

    expect(state).toMatchObject({ phase: "created", exitCode: 127 });
    expect(state?.error).toContain("executable file not found");
  });

  test("says no to an image that it does not have", async () => {
    const image = "nowhere.example/missing";

    const refused = created(host, ["true"], image).catch((error: unknown) => error);
    const listed = await docker.listImages({ filters: { reference: [image] } });

    expect(await refused).toMatchObject({
      statusCode: 404,
      message: expect.stringMatching(/no such image/i),
    });
    expect(listed).toEqual([]);
    const found = await docker.listImages({ filters: { reference: ["busybox"] } });
    expect(found.flatMap(({ RepoTags }) => RepoTags)).toContain("busybox:latest");
  });
});

async function created(host: Host, words: string[], image = "busybox") {
  const executionId = crypto.randomUUID();
  const spec = {
    name: containerNameOf(executionId),
    image,
    words,
    envs: {},
    labels: { "fastlane.execution": executionId, test: executionId },
  };
  const id = await host.create(spec);
  if (id === null) throw new Error("The name is taken");
  return { spec, id, [Symbol.asyncDispose]: () => host.remove(id, { force: true }) };
}

async function statusOf(call: Promise<unknown>): Promise<number | null> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof EngineRefusal ? error.statusCode : null;
}

function texts(frames: readonly LogFrame[]): string[] {
  return frames.map(({ stream, data }) => `${stream} ${Buffer.from(data).toString()}`);
}
