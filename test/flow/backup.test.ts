import { expect, test } from "bun:test";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { containerNameOf } from "../../src/farm/labels.ts";
import {
  type Enqueued,
  enqueue,
  eventually,
  getExecution,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { recordStarts } from "../support/containers.ts";
import { testEngine } from "../support/engine.ts";
import { startFastlane } from "../support/process.ts";
import { run, runOnSmallDisk } from "../support/run-fastlane.ts";

interface HostsJson {
  hosts: { reconciliation: { last: unknown[] } }[];
}

/** Says something, waits until it may go on, says the rest and ends. */
const told = (code: number) => ({
  command: [
    "sh",
    "-c",
    `trap "exit 1" TERM; echo before; until [ -e /go ]; do sleep 0.1; done; echo after; exit ${code}`,
  ],
});

test("a backup that is restored elsewhere accounts for every execution of the time when it was made", async () => {
  const { host, docker } = await testEngine();
  await using folder = await temporaryFolder();
  const [lost, found, file] = ["lost", "found", "backup.tar.zst"].map((n) => `${folder.path}/${n}`);
  const environmentOf = (dataDir = "") => ({
    FASTLANE_DATA_DIR: dataDir,
    FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host], maxRunning: 20 }]),
  });
  await using starts = await recordStarts(docker);
  const letGo = async ({ executionId }: Enqueued) => {
    const container = docker.getContainer(containerNameOf(executionId));
    const touch = await container.exec({ Cmd: ["touch", "/go"] });
    await touch.start({ Detach: true });
    return container;
  };
  const first = await startFastlane({ environment: environmentOf(lost) });
  const over = await enqueue(first.url, "backup", { command: ["echo", "over"] });
  const runsOn = await enqueue(first.url, "backup", { ...told(7), concurrencyKey: "one" });
  const ends = await enqueue(first.url, "backup", told(5));
  const ended = await untilEnded(over);
  for (const job of [runsOn, ends]) {
    await untilExecution(job, ({ log }) => log.includes("before"));
  }
  const waits = await enqueue(first.url, "backup", {
    command: ["echo", "waited"],
    concurrencyKey: "one",
  });

  const backedUp = await run(["backup", file ?? ""], environmentOf(lost));
  const later = await enqueue(first.url, "backup", told(0));
  await untilExecution(later, ({ log }) => log.includes("before"));
  await first.end("SIGKILL");
  await endPostgres(lost ?? "");
  await rm(lost ?? "", { recursive: true });
  await (await letGo(ends)).wait();
  const restored = await run(["restore", file ?? ""], environmentOf(found));
  await using second = await startFastlane({ environment: environmentOf(found) });
  const now = (job: Enqueued) => ({
    ...job,
    executionUrl: job.executionUrl.replace(first.url, second.url),
  });

  expect([backedUp.code, restored.code, backedUp.stdout]).toEqual([0, 0, ""]);
  expect((await stat(file ?? "")).mode & 0o777).toBe(0o600);
  expect(await getExecution(now(over))).toMatchObject({ ...ended, log: "over\n" });
  expect(await untilEnded(now(ends))).toMatchObject({ exitCode: 5, log: "before\nafter\n" });
  expect((await getExecution(now(waits))).status).toBe("enqueued");
  await letGo(runsOn);
  expect(await untilEnded(now(runsOn))).toMatchObject({ exitCode: 7, log: "before\nafter\n" });
  expect(await untilEnded(now(waits))).toMatchObject({ status: "done", log: "waited\n" });
  expect((await fetch(now(later).executionUrl)).status).toBe(404);
  await eventually(
    async () => {
      const filters = { label: [`fastlane.execution=${later.executionId}`] };
      return (await docker.listContainers({ all: true, filters })).length === 0 || undefined;
    },
    () => "what was begun since still runs",
  );
  const { hosts } = (await (await fetch(`${second.url}/hosts/`)).json()) as HostsJson;
  expect(hosts[0]?.reconciliation.last).toContainEqual(
    expect.objectContaining({
      executionId: later.executionId,
      decision: "stopped",
      reason: expect.stringContaining("begun after the backup"),
    }),
  );
  expect(
    [over, runsOn, ends, waits, later].map(({ executionId }) => starts.of(executionId)),
  ).toEqual([1, 1, 1, 1, 1]);

  const again = await run(["restore", file ?? ""], environmentOf(found));
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("it has data already")]);
});

test("a backup that cannot be restored leaves nothing behind, and another Postgres is refused", async () => {
  await using folder = await temporaryFolder();
  const dataDir = `${folder.path}/data`;
  const [file, bent, cut] = ["whole", "bent", "cut"].map((name) => `${folder.path}/${name}`);
  const here = { FASTLANE_DATA_DIR: dataDir };
  const none = await run(["backup", file ?? ""], here);
  await run(["migrate"], here);
  await writeFile(`${dataDir}/secret.key`, "of this one", { mode: 0o600 });
  const made = await run(["backup", file ?? ""], here);
  const bytes = await readFile(file ?? "");
  await writeFile(cut ?? "", bytes.subarray(0, bytes.length - 100));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(bent ?? "", bytes);

  const there = { FASTLANE_DATA_DIR: `${folder.path}/other` };
  const refused = [
    await run(["restore", bent ?? ""], there),
    await run(["restore", cut ?? ""], there),
    await run(["backup", file ?? ""], { ...here, FASTLANE_DATABASE_URL: "postgres://a@b/c" }),
  ];
  const isUntouched = await stat(`${folder.path}/other`).then(
    () => false,
    () => true,
  );
  const noRoom = [
    await runOnSmallDisk(["restore", file ?? ""], { FASTLANE_DATA_DIR: `${folder.path}/small/a` }),
    await run(["restore", file ?? ""], { FASTLANE_DATA_DIR: "/proc/x" }),
  ];
  const isLeft = await stat(`${folder.path}/small`).then(
    () => true,
    () => false,
  );
  const restored = await run(["restore", file ?? ""], there);

  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("there is no data")]);
  expect([made.code, made.stderr]).toEqual([0, expect.stringContaining("key of its secrets")]);
  expect(refused.map(({ code }) => code)).toEqual([2, 2, 2]);
  expect(refused.map(({ stderr }) => stderr)).toEqual([
    expect.stringContaining("it is damaged"),
    expect.stringContaining("its end is missing"),
    expect.stringContaining("pg_dump"),
  ]);
  expect(isUntouched).toBe(true);
  expect(noRoom).toEqual([
    {
      code: 2,
      stdout: "",
      stderr: `Cannot restore to "${folder.path}/small/a": EFBIG: file too large, write\n`,
    },
    {
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^Cannot restore to "\/proc\/x": ENOENT/),
    },
  ]);
  expect(isLeft).toBe(false);
  expect([restored.code, restored.stderr]).toEqual([0, ""]);
  expect(await readFile(`${folder.path}/other/secret.key`, "utf8")).toBe("of this one");
});

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(`${tmpdir()}/fastlane-backup-`);
  await chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** What a machine that is lost takes with it. */
async function endPostgres(dataDir: string): Promise<void> {
  const file = await readFile(`${dataDir}/postgres/data/postmaster.pid`, "utf8");
  const pid = Number(file.split("\n")[0]);
  process.kill(pid, "SIGQUIT");
  await eventually(
    async () => {
      const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z");
      return /\) [ZX]/.test(state) || undefined;
    },
    () => "Postgres still runs",
  );
}

test.skipIf(process.getuid?.() !== 0)(
  "root does not restore into a folder of another user's, who could not start on it",
  async () => {
    await using folder = await temporaryFolder();
    const dataDir = `${folder.path}/data`;
    await mkdir(dataDir);
    await chown(dataDir, 65_534, 65_534);

    const refused = await run(["restore", "any"], { FASTLANE_DATA_DIR: dataDir });

    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining("it belongs to user 65534"),
    ]);
  },
);
