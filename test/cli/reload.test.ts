import { expect, test } from "bun:test";
import { rename, writeFile } from "node:fs/promises";
import { temporaryFolder } from "../support/access.ts";
import { enqueue, eventually, untilEnded } from "../support/client.ts";
import { testEngine } from "../support/engine.ts";
import { getHosts } from "../support/hosts.ts";
import { type FastlaneProcess, startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";

const NINE = "tcp://127.0.0.9:2375";

interface Line {
  level: number;
  msg: string;
  [field: string]: unknown;
}

/** The lines of the log that fit, once there are so many. */
async function untilSaid({ stderr }: FastlaneProcess, fits: RegExp, times: number) {
  return await eventually(
    () => {
      const lines = stderr()
        .split("\n")
        .filter((line) => fits.test(line) && line.endsWith("}"));
      return lines.length < times ? undefined : lines.map((line) => JSON.parse(line) as Line);
    },
    () => `${fits} was not said ${times} times: ${stderr()}`,
  );
}

test("SIGHUP has the binary read its file again and say what changed, or why nothing did", async () => {
  const { host } = await testEngine();
  await using folder = await temporaryFolder();
  await using database = await migratedDatabase();
  const file = `${folder.path}/fastlane.toml`;
  const write = async (text: string) => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const pool = (hosts: string[], more = "") =>
    `[[dockerHosts]]\nhosts = ${JSON.stringify(hosts)}\n${more}\n`;
  await write(`
    port = 0
    ${pool([host])}
    [registries.builder]
    username = "ada"
    password = "CANARY-1"
    [[webhooks]]
    url = "https://hooks.example/CANARY-2?token=CANARY-3"
  `);
  await using fastlane = await startFastlane({
    args: ["--config", file],
    environment: { FASTLANE_DATABASE_URL: database.url, FASTLANE_DOCKER_CONFIG_FILE: "" },
  });
  const hangUp = () => process.kill(fastlane.pid, "SIGHUP");

  await write(`
    paginationPerPage = 20
    smtpHost = "mail.example"
    ${pool([host, NINE], "maxRunning = 40")}
    [registries.builder]
    username = "ada"
    password = "CANARY-4"
  `);
  hangUp();
  const [told] = await untilSaid(fastlane, /"reloaded: /, 1);
  const [warned] = await untilSaid(fastlane, /needs a restart/, 1);

  expect(told).toMatchObject({
    level: "info",
    msg: `reloaded: pool "": host ${NINE} added, maxRunning 20 -> 40; registry builder's login changed; webhook to hooks.example removed`,
    pools: { added: [], removed: [], changed: [""] },
    registries: { changed: ["builder"] },
    webhooks: { removed: ["hooks.example"] },
  });
  expect(warned).toMatchObject({
    level: "warn",
    msg: expect.stringMatching(/: paginationPerPage, smtpHost$/),
  });
  expect((await getHosts(fastlane.url)).map(({ name }) => name)).toEqual([host, NINE]);

  await write(`
    portt = "CANARY-5"
    ${pool([NINE], "maxRunning = 0")}
    [registries.builder]
    username = "ada"
  `);
  hangUp();
  const [refused] = await untilSaid(fastlane, /could not reload/, 1);

  expect(refused).toMatchObject({ level: "error" });
  for (const named of ["portt", "dockerHosts.0.maxRunning", "registries.builder"]) {
    expect(refused?.["error"]).toContain(named);
  }
  expect((await getHosts(fastlane.url)).map(({ name }) => name)).toEqual([host, NINE]);
  const job = await enqueue(fastlane.url, "t", { command: "true" });
  expect((await untilEnded(job)).status).toBe("done");
  expect(await fastlane.end("SIGTERM")).toBe(0);
  expect(fastlane.stderr()).not.toContain("CANARY");
});
