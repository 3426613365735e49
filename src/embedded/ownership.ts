import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { OWN_NAME } from "./cluster.ts";

/** The mark that a data folder has its fastlane: a lock that ends with the session that holds it. */
export interface Ownership {
  /** Gives it up; quiet if the server is gone already. */
  release(): Promise<void>;
}

export interface OwnershipOptions {
  socketPath: string;
  /** How long to wait for whoever holds it: of a killed process it goes within moments. */
  patienceMs: number;
  /** The session ended without `release`. */
  onLost(): void;
}

export class OwnedByAnother extends Error {
  override readonly name = "OwnedByAnother";
}

// "embedded" as 8 bytes.
const OWNER_LOCK = 0x656d626564646564n.toString();
const RETRY_EVERY_MS = 50;
const CONNECT_TIMEOUT_SECONDS = 5;
const ANSWER_LIMIT_MS = 7_000;
const CLOSE_TIMEOUT_SECONDS = 1;

/**
 * Takes the data for ourselves, and makes our database unless it is there.
 *
 * @throws {OwnedByAnother} If another session still holds it after `patienceMs`.
 */
export async function takeOwnership(options: OwnershipOptions): Promise<Ownership> {
  let held = false;
  const sql = postgres({
    path: options.socketPath,
    database: "postgres",
    user: OWN_NAME,
    max: 1,
    // The driver renews a connection after some 45 minutes, and the lock would go with the old one.
    max_lifetime: null,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: "fastlane owner" },
    onclose: () => {
      if (!held) return;
      held = false;
      options.onLost();
      void end();
    },
  });
  const end = () => sql.end({ timeout: CLOSE_TIMEOUT_SECONDS }).catch(() => {});
  const work = takeLock(sql, options.patienceMs).then(() => makeDatabase(sql));
  const limit = new AbortController();
  try {
    // A server that dies while it is connected to leaves the driver without an end to wait for.
    await Promise.race([work, silence(options.patienceMs + ANSWER_LIMIT_MS, limit.signal)]);
  } catch (error) {
    work.catch(() => {});
    void end();
    throw error;
  } finally {
    limit.abort();
  }
  held = true;
  return {
    release: async () => {
      held = false;
      await end();
    },
  };
}

async function takeLock(sql: postgres.Sql, patienceMs: number): Promise<void> {
  const began = performance.now();
  for (;;) {
    const [row] = await sql<{ taken: boolean }[]>`
      SELECT pg_try_advisory_lock(${OWNER_LOCK}::bigint) AS taken`;
    if (row?.taken) return;
    if (performance.now() - began > patienceMs) break;
    await sleep(RETRY_EVERY_MS);
  }
  throw new OwnedByAnother("another session holds the lock");
}

async function silence(limitMs: number, signal: AbortSignal): Promise<void> {
  await sleep(limitMs, undefined, { signal });
  throw new Error(`Cannot use Postgres: no answer for ${limitMs} ms`);
}

async function makeDatabase(sql: postgres.Sql): Promise<void> {
  const there = await sql`SELECT FROM pg_database WHERE datname = ${OWN_NAME}`;
  if (there.length === 0) await sql`CREATE DATABASE ${sql(OWN_NAME)}`;
}
