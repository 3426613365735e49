import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { type Client, createClient } from "../client/client.ts";
import { ClientError } from "../client/client-error.ts";
import { readLogins } from "../client/logins.ts";
import { proxyFor } from "../client/proxy.ts";
import { parseServerUrl, type ServerUrl } from "../client/server-url.ts";
import { messageOf } from "../core/errors.ts";
import type { Surroundings } from "./program.ts";

const DEFAULT_URL = "http://127.0.0.1:10000";

/** The flags of every command that asks a running fastlane. */
export function withClientOptions(command: Command): Command {
  return command
    .option(
      "--url <url>",
      "the fastlane to ask; else FASTLANE_URL, the last login, or this machine",
    )
    .option("--ca-file <file>", "certificates in PEM that a fastlane's must be signed by")
    .option("--json", "answer in JSON, for programs")
    .option("--no-color", "no colours; NO_COLOR and FORCE_COLOR are obeyed, too");
}

/**
 * The fastlane that a command asks: `--url`, else `FASTLANE_URL`, the current login, or this
 * machine; with `FASTLANE_TOKEN`, else the login that was saved for that very URL, or what the URL
 * itself says.
 *
 * @throws {ClientError} When that cannot be known.
 */
export async function clientOf(command: Command, surroundings: Surroundings): Promise<Client> {
  const { environment, version } = surroundings;
  const flags = command.opts<{ url?: string; caFile?: string }>();
  const given = flags.url ?? setTo(environment["FASTLANE_URL"]);
  const ownToken = setTo(environment["FASTLANE_TOKEN"]);
  // Who gives both needs no file, which may not even be readable.
  const needsLogins = given === undefined || ownToken === undefined;
  const { current, logins } = needsLogins
    ? await readLogins(environment)
    : { current: null, logins: {} };
  const server = parseServerUrl(given ?? current ?? DEFAULT_URL);
  // What is said now goes before what was saved once.
  const token = ownToken ?? (server.login === null ? logins[server.url]?.token : undefined);
  return createClient({
    url: server.url,
    authorization: authorizationOf(server, token),
    ca: await certificatesOf(flags.caFile ?? setTo(environment["FASTLANE_CA_FILE"])),
    proxyFor: (url) => proxyFor(url, environment),
    version,
  });
}

function authorizationOf({ login }: ServerUrl, token: string | undefined): string | null {
  if (token !== undefined) {
    // Its words would end the header, and stand in the error for that.
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new ClientError("The token must be one word, as fastlane gave it");
    }
    return `Bearer ${token}`;
  }
  if (login === null) return null;
  return `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}`;
}

async function certificatesOf(path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new ClientError(`Cannot read the certificates in ${path}: ${messageOf(error)}`);
  }
}

const setTo = (text: string | undefined) => (text === undefined || text === "" ? undefined : text);
