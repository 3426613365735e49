import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import postgres from "postgres";
import { startPostgres } from "../test/support/postgres.ts";
import { startFastlane } from "../test/support/process.ts";
import { median } from "./statistics.ts";

export interface EnqueueRate {
  connections: number;
  /** Single POSTs a second, round by round, each answered with its own job. */
  service: number[];
  /** One-row INSERTs a second by pgbench on the same Postgres, which writes to disk before it answers. */
  inserts: number[];
  /** The median of the rounds' service / inserts. */
  ratio: number;
}

const run = promisify(execFile);
const CONNECTIONS = 64;
const SECONDS = 8;
const BODY = JSON.stringify({
  image: "busybox",
  command: "echo hello",
  envs: { GREETING: "hello" },
  metadata: { username: "bench" },
});
/** Nothing listens there: what is enqueued waits, and no container takes time from the enqueueing. */
const NO_ENGINE = "tcp://127.0.0.1:9";

export async function measureEnqueueRate(rounds: number): Promise<EnqueueRate> {
  await using database = await startPostgres({ durable: true });
  await using folder = await scripts();
  await using fastlane = await startFastlane({
    environment: {
      FASTLANE_DATABASE_URL: database.url,
      FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [NO_ENGINE] }]),
      FASTLANE_LOG_LEVEL: "error",
    },
  });
  const sql = postgres(database.url, { max: 1 });
  await sql`CREATE TABLE bench (id bigserial PRIMARY KEY, body text NOT NULL, at timestamptz NOT NULL)`;
  const service: number[] = [];
  const inserts: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = await countJobs(sql);
    const { rate, requests } = await postAll(`${fastlane.url}/tasks/bench/`, folder.lua);
    const made = (await countJobs(sql)) - before;
    // wrk gives up on the answers that are under way when its time is over.
    if (made < requests || made > requests + CONNECTIONS) {
      throw new Error(`${requests} POSTs were answered, and ${made} jobs are there`);
    }
    service.push(rate);
    inserts.push(await insertAll(database.url, folder.sql));
  }
  await sql.end();
  const ratio = median(service.map((rate, round) => rate / (inserts[round] ?? rate)));
  return { connections: CONNECTIONS, service, inserts, ratio };
}

async function countJobs(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`SELECT count(*)::int AS count FROM fastlane.jobs`;
  return row?.count ?? 0;
}

async function postAll(url: string, script: string): Promise<{ rate: number; requests: number }> {
  const load = ["-t", "1", "-c", `${CONNECTIONS}`, "-d", `${SECONDS}s`, "--timeout", "30s"];
  const { stdout } = await run("wrk", [...load, "-s", script, url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`POSTs failed: ${stdout}`);
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
  };
}

async function insertAll(url: string, script: string): Promise<number> {
  const load = ["-n", "-c", `${CONNECTIONS}`, "-j", "1", "-T", `${SECONDS}`, "-M", "simple"];
  const { stdout } = await run("pgbench", [...load, "-f", script, url]);
  return Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
}

async function scripts(): Promise<AsyncDisposable & { lua: string; sql: string }> {
  const path = await mkdtemp(join(tmpdir(), "fastlane-bench-"));
  const lua = join(path, "post.lua");
  const sql = join(path, "insert.sql");
  await writeFile(lua, `wrk.method = "POST"\nwrk.body = [[${BODY}]]\n`);
  await writeFile(sql, `INSERT INTO bench (body, at) VALUES ('${BODY}', now());\n`);
  return { lua, sql, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
