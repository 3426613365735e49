import { afterAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { testEngine } from "../support/engine.ts";
import { startFastlane } from "../support/process.ts";

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
