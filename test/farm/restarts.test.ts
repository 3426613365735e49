import { expect, test } from "bun:test";
import { dockerHost } from "../../src/farm/docker-host.ts";
import { startEngine } from "../support/engine.ts";

const spec = (name: string, script: string) => ({
  name: `fastlane-job-${name}`,
  image: "busybox",
  words: ["sh", "-c", script],
  envs: {},
  labels: {},
});

async function started(host: ReturnType<typeof dockerHost>, script: string): Promise<string> {
  const id = await host.create(spec(crypto.randomUUID(), script));
  if (id === null) throw new Error("The name is taken");
  await host.start(id);
  return id;
}

test("an engine tells of each container whether it went down since it started it", async () => {
  await using engine = await startEngine({ liveRestore: true });
  const host = dockerHost(engine.host);
  const before = await started(host, "sleep 600");

  expect(await host.restartedSince("start", before)).toBe(false);
  await engine.kill("SIGKILL");
  await engine.start();
  const after = await started(host, "sleep 600");

  expect(await host.restartedSince("start", before)).toBe(true);
  expect(await host.restartedSince("start", after)).toBe(false);
});

test("an engine that has done too much since cannot tell", async () => {
  await using engine = await startEngine();
  const host = dockerHost(engine.host);
  const early = await started(host, "sleep 600");
  const image = engine.docker.getImage("busybox:latest");

  for (let i = 0; i < 256; i++) await image.tag({ repo: "busybox", tag: "again" });

  expect(await host.restartedSince("start", early)).toBeNull();
});
