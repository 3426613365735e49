import { reachDatabase } from "../app/database.ts";
import type { Config } from "../config/schema.ts";
import { BY_SYSTEM } from "../core/audit.ts";
import { createToken, revokeToken, tokenViews } from "../services/tokens.ts";
import { type Db, openStore } from "../store/connect.ts";
import { createLog } from "./log.ts";

/*
 * Tokens without asking a fastlane over HTTP: straight in the database that the configuration names,
 * for who may read its password or be its user. So the first token is made.
 */

interface TokenInput {
  name: string;
  role: string;
  taskMatch?: string | undefined;
  /** Such as `90d`; for ever when absent. */
  expiresIn?: string | undefined;
}

/** @throws {AppError} As `createToken`. */
export async function createTokenLocally(config: Config, input: TokenInput) {
  return await withDatabase(config, (db) => createToken(db, input, BY_SYSTEM));
}

/** @param all With those that are revoked or have expired. */
export async function listTokensLocally(config: Config, all: boolean) {
  return await withDatabase(config, (db) => tokenViews(db, all ? "all" : "live"));
}

/** Running nodes are told. @throws {AppError} As `revokeToken`. */
export async function revokeTokenLocally(config: Config, name: string) {
  return await withDatabase(config, (db) => revokeToken(db, name, BY_SYSTEM));
}

async function withDatabase<Result>(
  config: Config,
  work: (db: Db) => Promise<Result>,
): Promise<Result> {
  const stops: (() => Promise<void>)[] = [];
  try {
    // That Postgres starts and stops is no news to who makes a token.
    const log = createLog("warn");
    const address = await reachDatabase({ config, log }, stops);
    const store = openStore({ address, max: 1, name: "fastlane command" });
    stops.push(() => store.close());
    return await work(store.db);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
