import { expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enqueue, untilEnded } from "../support/client.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { testEngine } from "../support/engine.ts";
import { startFastlane } from "../support/process.ts";

const SCRIPT = "for i in 1 2 3; do echo line $i; echo err $i >&2; sleep 0.2; done; printf rest";
const ENDED = {
  status: "done",
  log: "line 1\nline 2\nline 3\nrest",
  error: "err 1\nerr 2\nerr 3\n",
};

test.each([
  ["when its pull is stored and its container is not created", "before", /\/containers\/create/, 2],
  ["when it is claimed and not started", "before", /\/containers\/[0-9a-f]+\/start/, 2],
  ["when it is started and nobody has been told", "after", /\/containers\/[0-9a-f]+\/start/, 1],
  ["before its log is followed", "before", /\/logs\?follow=true/, 1],
  ["when its log is not whole", "before", /\/logs\?follow=false/, 1],
] as const)(
  "killed %s, a pulled execution's log is whole, behind its pulls",
  async (_, when, call, pulls) => {
    const { host, registry } = await testEngine();
    await using proxy = await startDockerProxy(host);
    const dataDir = await mkdtemp(join(tmpdir(), "fastlane-data-"));
    await using _folder = {
      [Symbol.asyncDispose]: () => rm(dataDir, { recursive: true, force: true }),
    };
    // The embedded Postgres runs as another user when the tests run as root.
    await chmod(dataDir, 0o755);
    const hosts = JSON.stringify([{ hosts: [proxy.host] }]);
    const environment = { FASTLANE_DATA_DIR: dataDir, FASTLANE_DOCKER_HOSTS: hosts };
    const first = await startFastlane({ environment });
    const held = proxy.hold(when, call);

    const job = await enqueue(first.url, "crash", {
      image: `${registry}/busybox`,
      command: ["sh", "-c", SCRIPT],
      pullPolicy: "always",
    });
    await held;
    await first.end("SIGKILL");
    await using second = await startFastlane({ environment });

    const moved = { ...job, executionUrl: job.executionUrl.replace(first.url, second.url) };
    expect(await untilEnded(moved)).toMatchObject(ENDED);
    const pull = await (await fetch(`${moved.executionUrl}logs/?stream=pull`)).text();
    expect(pull.match(/^latest: Pulling from busybox$/gm)).toHaveLength(pulls);
    expect(pull.match(/^Status: /gm)).toHaveLength(pulls);
  },
);
