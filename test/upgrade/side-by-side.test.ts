import { expect, test } from "bun:test";
import { parsePostgresUrl } from "../../src/store/address.ts";
import { openStore } from "../../src/store/connect.ts";
import {
  type Enqueued,
  enqueue,
  getExecution,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { recordStarts, untilNoContainers } from "../support/containers.ts";
import { testEngine } from "../support/engine.ts";
import { testDatabase } from "../support/postgres.ts";
import { startFastlane } from "../support/process.ts";
import { checkOut, hasHistory, versionsBeforeChanges } from "./versions.ts";

/** Of the newest; `all` tries each. */
const TRIED = process.env["FASTLANE_TEST_UPGRADES"] === "all" ? Number.POSITIVE_INFINITY : 3;
const versions = hasHistory() ? versionsBeforeChanges().slice(0, TRIED) : [];

const LINES = Array.from({ length: 40 }, (_, line) => `line ${line}\n`).join("");
const SPEAKS = ["sh", "-c", "for i in $(seq 0 39); do echo line $i; sleep 0.1; done; exit 7"];
const QUICK = { command: ["sh", "-c", 'echo "$WORD"; exit 3'], envs: { WORD: "of the payload" } };
const SPOKEN = { status: "failed", exitCode: 7, log: LINES };
const QUICKLY = { status: "failed", exitCode: 3, log: "of the payload\n" };

test.skipIf(!hasHistory())("the history tells which versions were before", () => {
  expect(versions.length).toBeGreaterThan(0);
});

test.each(versions)(
  "a node without $lacks runs on beside one of now, and then leaves all to it",
  async ({ commit }) => {
    const { host, docker } = await testEngine();
    await using database = await testDatabase();
    await using starts = await recordStarts(docker);
    await using before = await checkOut(commit);
    const environment = {
      DATABASE_URL: database.url,
      FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host], maxRunning: 20 }]),
    };
    const old = await startFastlane({ program: before.program, environment });
    const early = await enqueue(old.url, "early", { command: SPEAKS });
    await untilExecution(early, ({ status }) => status === "running");

    await using now = await startFastlane({ environment });
    const quick: Enqueued[] = [];
    for (const { url } of [old, now, old, now]) quick.push(await enqueue(url, "quick", QUICK));
    const late = await enqueue(old.url, "late", { command: SPEAKS });
    await untilExecution(late, ({ status }) => status === "running");
    for (const job of [early, ...quick]) await untilEnded(job);
    const seenByOld = await Promise.all([early, ...quick].map(getExecution));
    await old.end("SIGTERM");

    const all = [early, ...quick, late].map((job) => at(now.url, job));
    const seenByNow = await Promise.all(all.map((job) => untilEnded(job)));
    for (const seen of [seenByOld, seenByNow.slice(0, -1)])
      expect(seen).toMatchObject([SPOKEN, QUICKLY, QUICKLY, QUICKLY, QUICKLY]);
    expect(seenByNow.at(-1)).toMatchObject(SPOKEN);
    expect(all.map(({ executionId }) => starts.of(executionId))).toEqual(all.map(() => 1));
    await expect(startFastlane({ program: before.program, environment })).rejects.toThrow(
      /newer than this fastlane/,
    );
    await untilNoContainers(docker, await installationOf(database.url));
  },
);

/** The same job as another node shows it. */
function at(url: string, job: Enqueued): Enqueued {
  return { ...job, executionUrl: url + new URL(job.executionUrl).pathname };
}

async function installationOf(url: string): Promise<string> {
  const store = openStore({ address: parsePostgresUrl(url), max: 1 });
  try {
    const [row] = await store.sql<{ id: string }[]>`SELECT id FROM fastlane.installation`;
    return row?.id ?? "";
  } finally {
    await store.close();
  }
}
