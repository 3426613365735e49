import { type Command, Option } from "commander";
import { loadConfig, type Sources } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Surroundings } from "./program.ts";

/** The flags of every command that reads the configuration. */
export function withConfigOptions(command: Command): Command {
  return withOptions(command, databaseUrl());
}

/** The same of a command for the embedded Postgres alone, which says so when it is given another. */
export function withEmbeddedOptions(command: Command): Command {
  return withOptions(command, databaseUrl().hideHelp());
}

const databaseUrl = () =>
  new Option("--database-url <url>", "a Postgres 14 to 18, in place of the embedded one");

function withOptions(command: Command, database: Option): Command {
  return command
    .option("--config <file>", "configuration file in TOML")
    .addOption(database)
    .option("--data-dir <folder>", "where the embedded Postgres is kept")
    .option("--log-level <level>", "debug, info, warn or error");
}

export function withListenOptions(command: Command): Command {
  return command
    .option("--port <number>", "port of the HTTP API, 10000 unless configured")
    .option("--host <address>", "address to listen on, 127.0.0.1 unless configured")
    .option("--no-auth", "listen on a reachable address although nobody is asked for a password");
}

const CONFIG_FLAGS = ["databaseUrl", "dataDir", "logLevel", "port", "host"];
type Flags = Record<string, string | boolean | undefined>;

export function configOf(command: Command, surroundings: Surroundings): Config {
  return loadConfig(sourcesOf(command, surroundings));
}

/** What the configuration is to be read from. */
export function sourcesOf(command: Command, { environment }: Surroundings): Sources {
  const { config: configFile, auth, ...given } = command.opts<Flags>();
  // A command may have flags of its own.
  const flags = Object.entries(given).filter(([key]) => CONFIG_FLAGS.includes(key));
  return {
    environment,
    flags: { ...Object.fromEntries(flags), noAuth: auth === false ? true : undefined },
    configFile: typeof configFile === "string" ? configFile : undefined,
  };
}
