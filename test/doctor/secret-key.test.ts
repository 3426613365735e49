import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKeyring, newKeyLine } from "../../src/core/keyring.ts";
import { secretKeyCheck } from "../../src/doctor/secret-key.ts";
import { claimKeyCheck } from "../../src/store/secret-key.ts";
import { testStore } from "../support/store.ts";

const KEY = newKeyLine();
let dataDir: string;
let store: Awaited<ReturnType<typeof testStore>>;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "fastlane-doctor-"));
  store = await testStore();
  await claimKeyCheck(store.db, createKeyring(KEY).check);
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

test.each<[string, string | null, number, string[]]>([
  ["is right", KEY, 0o600, ["ok it is that of this installation"]],
  [
    "is right and open",
    KEY,
    0o644,
    ["problem every user of this machine may read", "ok it is that of this installation"],
  ],
  ["is another", newKeyLine(), 0o600, ["problem the key in"]],
  ["is none", "x", 0o600, ["problem"]],
  ["is not there", null, 0o600, ["problem this installation has a key, and there is no"]],
])("of a key that %s this is said", async (_, text, mode, said) => {
  const file = join(dataDir, "secret.key");
  await rm(file, { force: true });
  if (text !== null) await writeFile(file, text);
  if (text !== null) await chmod(file, mode);
  const found: string[] = [];
  const note = (level: string) => (words: string) => void found.push(`${level} ${words}`);
  const tell = { ok: note("ok"), warning: note("warning"), problem: note("problem") };

  const check = secretKeyCheck({ config: { dataDir, secretKey: undefined }, database: { store } });
  await check.run(tell, new AbortController().signal);

  expect(found).toEqual(said.map((words) => expect.stringContaining(words)));
  expect(found.join()).not.toContain(KEY.trim());
});
