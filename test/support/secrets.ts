import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKeyring } from "../../src/core/keyring.ts";
import type { Secrets } from "../../src/payload/sealed.ts";

/** The key of all tests' installations, so that nodes in and out of this process can share one. */
export const TEST_KEY = Buffer.alloc(32, "fastlane tests").toString("base64");

const keyring = createKeyring(TEST_KEY);
export const TEST_SECRETS: Secrets = { keyring, sealer: () => keyring };

/** A data folder with that key, for processes that have none of their own. */
export function dataDirOfTests(): string {
  const folder = join(tmpdir(), `fastlane-test-data-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "secret.key"), `${TEST_KEY}\n`, { mode: 0o600 });
  return folder;
}
