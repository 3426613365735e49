import { existsSync, readFileSync } from "node:fs";
import { parse as parseToml } from "smol-toml";
import type { Sources } from "./load.ts";
import { tablesOf } from "./shape.ts";

const SYSTEM_FILE = "/etc/fastlane/fastlane.toml";
/** Keys that are secrets themselves, wherever they stand. */
const SECRETS = /^(basicAuthPassword|smtpPassword|password|secret)$/;
const URL_WITH_PASSWORD = /^\w+:\/\/[^/@]*:[^/@]+@/;

/** The configuration's file where a secret stands in it; `null` where there is no such file. */
export function ownFileWithSecret({ configFile, environment }: Sources): string | null {
  const named = configFile ?? environment["FASTLANE_CONFIG"];
  const path = named ?? (existsSync(SYSTEM_FILE) ? SYSTEM_FILE : null);
  return path !== null && hasSecret(parseToml(readFileSync(path, "utf8"))) ? path : null;
}

function hasSecret(table: object): boolean {
  const isSecret = ([key, value]: [string, unknown]) =>
    typeof value === "string" && (SECRETS.test(key) || URL_WITH_PASSWORD.test(value));
  return (
    Object.entries(table).some(isSecret) || tablesOf(table).some(([, inner]) => hasSecret(inner))
  );
}
