import { afterAll, beforeAll, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type Docker from "dockerode";
import { buildImage, importBase } from "../support/base-image.ts";
import { testEngine } from "../support/engine.ts";
import { run } from "../support/run-fastlane.ts";

const NAME = `fastlane-${crypto.randomUUID()}`;
const BASE = `${NAME}-base`;
const MAX_STOP_MS = 10_000;
const { docker, host } = await testEngine();
const socket = host.replace("unix://", "");
let container: Docker.Container;
let token = "";

beforeAll(async () => {
  await importBase(docker, BASE);
  await buildImage(docker, BASE, NAME);
  // As compose.yaml has it, but for the Postgres: the one in the binary asks more of the image.
  container = await docker.createContainer({
    name: NAME,
    Image: NAME,
    HostConfig: {
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": "" },
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      GroupAdd: [`${statSync(socket).gid}`],
      Binds: [`${socket}:/var/run/docker.sock`],
    },
  });
  await container.start();
  await untilItListens();
  const made = await inside("token", "create", "root", "--role", "admin", "--local");
  token = made.stdout.trim();
});

afterAll(async () => {
  await container?.remove({ force: true, v: true });
  await docker.getImage(NAME).remove({ force: true });
  await docker.getImage(BASE).remove({ force: true });
});

test("the image runs a job on the engine whose socket it is given", async () => {
  const { code, stdout, stderr } = await inside(
    ..."run first --image busybox --pull missing -- echo from-the-image".split(" "),
  );

  expect(stdout, stderr).toBe("from-the-image\n");
  expect(code).toBe(0);
});

test("it runs as nobody special, and asks everybody who they are", async () => {
  const { Config } = await docker.getImage(NAME).inspect();
  const who = await execute(["id", "-u"], []);
  const stranger = await execute(["fastlane", "status"], []);

  expect(Config.User).toBe("10000:10000");
  expect(who.stdout).toBe("10000\n");
  expect(stranger.code).not.toBe(0);
  expect(stranger.stderr).toContain("asks for a token");
});

test("its health check is the binary's own, and answers", async () => {
  const { Config } = await docker.getImage(NAME).inspect();
  const { Test } = Config.Healthcheck as { Test: string[] };
  const { code, stdout } = await execute(Test.slice(1), []);

  expect(Test[0]).toBe("CMD");
  expect(JSON.parse(stdout)).toMatchObject({ postgres: true, queue: true });
  expect(code).toBe(0);
});

test("it is no larger than the binary, what it stands on, and a megabyte", async () => {
  const image = await docker.getImage(NAME).inspect();
  const base = await docker.getImage(BASE).inspect();
  const binary = Bun.file(new URL("../../dist/fastlane", import.meta.url).pathname).size;

  expect(image.Size - base.Size - binary).toBeLessThan(1024 * 1024);
});

test("docker stop ends it within 10 s, by itself", async () => {
  const began = performance.now();

  await container.stop({ t: 60 });

  expect(performance.now() - began).toBeLessThan(MAX_STOP_MS);
  expect((await container.inspect()).State.ExitCode).toBe(0);
});

/** A command of the fastlane inside, as its administrator. */
async function inside(...args: string[]) {
  return await execute(["fastlane", ...args], token === "" ? [] : [`FASTLANE_TOKEN=${token}`]);
}

async function execute(command: string[], environment: string[]) {
  const exec = await container.exec({
    Cmd: command,
    Env: environment,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({});
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.on("end", () => {
    stdout.end();
    stderr.end();
  });
  const [out, err] = await Promise.all([text(stdout), text(stderr)]);
  return { stdout: out, stderr: err, code: (await exec.inspect()).ExitCode };
}

async function untilItListens(): Promise<void> {
  const stream = await container.logs({ follow: true, stdout: true, stderr: true });
  let words = "";
  for await (const bytes of stream) {
    words += String(bytes);
    if (words.includes("listens on")) return;
  }
  throw new Error(`The container ended: ${words}`);
}

test("the health check of a service that is not there says so, with a code that Docker knows", async () => {
  const { code, stderr } = await run(["healthcheck", "--port", "1"]);

  expect(stderr).toContain("Cannot ask http://127.0.0.1:1/healthcheck/");
  expect(code).toBe(1);
});
