import { afterAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { testEngine } from "../support/engine.ts";
import { holdSocket } from "../support/held-socket.ts";
import { startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";

const PROGRAM = new URL("../../dist/fastlane.mjs", import.meta.url).pathname;
const NODE = ["node", PROGRAM];

const folder = await mkdtemp(`${tmpdir()}/fastlane-node-`);
await Bun.$`chmod 711 ${folder}`;
afterAll(() => rm(folder, { recursive: true }));

test("on Node everything runs in one process with the embedded Postgres, and run ends with the exit code", async () => {
  const { host } = await testEngine();
  await using service = await startFastlane({
    program: NODE,
    environment: {
      FASTLANE_DATA_DIR: folder,
      FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host] }]),
    },
  });

  const script = "echo out; echo err >&2; exit 3";
  const run = Bun.spawn(
    [...NODE, "run", "t", "--image", "busybox", "--pull", "missing", "--", "sh", "-c", script],
    { env: { PATH: process.env["PATH"] ?? "", FASTLANE_URL: service.url }, stderr: "pipe" },
  );

  expect(await new Response(run.stdout).text()).toBe("out\n");
  expect(await new Response(run.stderr).text()).toContain("err\n");
  expect(await run.exited).toBe(3);
  expect(await service.end("SIGTERM")).toBe(0);
});

test("on Node it serves by a socket that it is handed, which keeps its queue and outlives it", async () => {
  await using database = await migratedDatabase();
  const socket = holdSocket();
  const start = () =>
    startFastlane({
      program: NODE,
      command: "api",
      environment: { FASTLANE_DATABASE_URL: database.url },
      socket: socket.fd,
    });
  const first = await start();
  const { status } = await fetch(`${first.url}/status/`);
  const waiting = await Bun.$`ss -Hltn sport = :${socket.port}`.text();

  const code = await first.end("SIGTERM");
  const betweenTheTwo = fetch(`${first.url}/status/`);
  await using second = await start();

  expect([status, code, second.url]).toEqual([200, 0, `http://127.0.0.1:${socket.port}`]);
  expect(waiting.split(/\s+/)[2]).toBe("4096");
  expect((await betweenTheTwo).status).toBe(200);
  socket.close();
});

test("a Node that cannot share a port says so, and any other shares it", async () => {
  await using database = await migratedDatabase();
  const start = (port: string) =>
    startFastlane({
      program: NODE,
      command: "api",
      environment: {
        FASTLANE_DATABASE_URL: database.url,
        FASTLANE_REUSE_PORT: "true",
        FASTLANE_PORT: port,
      },
    });
  const [major = 0, minor = 0] = (await Bun.$`node -p process.versions.node`.text())
    .split(".")
    .map(Number);

  if (major < 22)
    return await expect(start("0")).rejects.toThrow("beside others, as reusePort says");
  if (major < 23 || minor < 1) return;
  await using one = await start("0");
  await using other = await start(new URL(one.url).port);

  expect(other.url).toBe(one.url);
});

test("it prints the licences of its own packages too", async () => {
  const licenses = Bun.spawn([...NODE, "licenses"]);

  expect(await new Response(licenses.stdout).text()).toContain("\n  undici ");
  expect(await licenses.exited).toBe(0);
});
