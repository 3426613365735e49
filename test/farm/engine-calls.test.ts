import { expect, test } from "bun:test";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dockerHost } from "../../src/farm/docker-host.ts";
import { HostUnreachable } from "../../src/farm/host.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { containersOf, testEngine } from "../support/engine.ts";

test.each([["http://127.0.0.1:1/"], ["https://127.0.0.1:1/"], ["gopher://x/"], ["http://[bad"]])(
  "a host that answers with a redirect to %s is out of reach, and nothing is asked there",
  async (location) => {
    const server = createServer((_, answer) => answer.writeHead(307, { location }).end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("uncaughtException", note);

    const asked = dockerHost(`tcp://127.0.0.1:${port}`).version();

    await expect(asked).rejects.toBeInstanceOf(HostUnreachable);
    await asked.catch((error: Error) => {
      expect(error.message).toEndWith(
        "it answers with a redirect to elsewhere, as no Docker engine does",
      );
    });
    process.off("uncaughtException", note);
    server.close();
    expect(unhandled).toEqual([]);
  },
);

test("a probe runs a container, and leaves none", async () => {
  const { host, docker } = await testEngine();
  const installation = crypto.randomUUID();
  const starts: unknown[] = [];
  const events = await docker.getEvents({
    filters: { label: [`fastlane.installation=${installation}`], event: ["start"] },
  });
  events.on("data", (event) => starts.push(event));

  await dockerHost(host).probe({ "fastlane.installation": installation });

  expect(await containersOf(docker, installation)).toEqual([]);
  while (starts.length === 0) await once(events, "data");
  (events as unknown as { destroy(): void }).destroy();
});

test("a probe's container can do nothing but be there", async () => {
  const { host, docker } = await testEngine();
  await using proxy = await startDockerProxy(host);
  const installation = crypto.randomUUID();
  const creation = proxy.delay(/^POST .*\/containers\/create\?name=fastlane-probe/);
  const probed = dockerHost(proxy.host).probe({ "fastlane.installation": installation });
  await creation.reached;

  const [probe] = await containersOf(docker, installation);
  const { HostConfig } = await docker.getContainer(probe?.Id ?? "").inspect();
  creation.release();
  await probed;

  expect(HostConfig).toMatchObject({
    NetworkMode: "none",
    ReadonlyRootfs: true,
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges"],
  });
  expect(HostConfig.CapAdd ?? []).toEqual([]);
});
