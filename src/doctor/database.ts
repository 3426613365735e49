import type { Config } from "../config/schema.ts";
import { messageOf } from "../core/errors.ts";
import { runningPostgresUrl } from "../embedded/running.ts";
import { faultWords } from "../farm/fault-words.ts";
import { type PostgresAddress, parsePostgresUrl } from "../store/address.ts";
import { openStore, type Store } from "../store/connect.ts";
import { installationId } from "../store/nodes.ts";

/** The Postgres that the configuration names. */
export interface Database {
  address: PostgresAddress;
  isEmbedded: boolean;
  /** For the questions of all checks but that of Postgres itself, which has its own. */
  store: Store;
}

/**
 * @returns `null` where it is the embedded one and does not run: nothing is started for a look.
 * @throws {Error} If the URL cannot be read; without its password.
 */
export async function openDatabase(config: Config): Promise<Database | null> {
  const isEmbedded = config.databaseUrl === undefined;
  const url = config.databaseUrl ?? (await runningPostgresUrl(config.dataDir));
  if (url === null) return null;
  const address = parsePostgresUrl(url);
  return { address, isEmbedded, store: openStore({ address, max: 4, name: "fastlane doctor" }) };
}

/** Cuts what is still open there. To wait for it would take seconds where nothing answers. */
export function leaveStore(store: Store): void {
  store.reset("the doctor is done");
  void store.close().catch(() => {});
}

/** Whose containers are ours; `null` when the database cannot tell. */
export async function installationOf(database: Database | null): Promise<string | null> {
  return database === null ? null : await installationId(database.store.db).catch(() => null);
}

/** Where it is, for people. */
export function placeOf({ address, isEmbedded }: Pick<Database, "address" | "isEmbedded">): string {
  const { host, port } = address;
  if (isEmbedded) return "the socket of the embedded one";
  if (host.startsWith("/")) return `the socket in ${host}`;
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What is wrong, by SQLSTATE or the driver's code, and what is to be done about it. */
const FAULTS: Record<string, readonly [words: string, advice: string]> = {
  "28P01": ["it refuses the password", "put the right user and password into databaseUrl"],
  "28000": [
    "it refuses this user",
    "let the user in by pg_hba.conf, or put another one into databaseUrl",
  ],
  "3D000": ["there is no such database", "make it by createdb, or name another in databaseUrl"],
  "53300": ["it has no session left", "raise max_connections, or end sessions of others"],
  "42501": ["this user may not read what is there", "make the user the owner of the database"],
  CONNECT_TIMEOUT: [
    "it takes the connection and says nothing",
    "see whether it hangs, and whether a firewall drops what goes there",
  ],
  ETIMEDOUT: ["it does not answer", "see whether it hangs, and whether the way to it is cut"],
};
const POOLER = /unsupported startup parameter|prepared statement .* (does not|already) exists?/i;
export const POOLER_ADVICE =
  "give databaseUrl the address of Postgres itself: LISTEN and advisory locks need sessions of their own";

/** An error of Postgres or of the way to it, in words that have no secret. */
export function databaseFault(error: unknown): { words: string; advice: string } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const message = messageOf(error);
  if (POOLER.test(message)) {
    return { words: `a pooler stands before it (${message})`, advice: POOLER_ADVICE };
  }
  const [words, advice] = FAULTS[code] ?? [];
  if (words !== undefined && advice !== undefined) return { words, advice };
  const usual = "see whether Postgres runs and whether databaseUrl leads to it";
  return { words: faultWords(cause) ?? message, advice: usual };
}
