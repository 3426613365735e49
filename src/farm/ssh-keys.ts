import { readFile } from "node:fs/promises";
import { type AnyAuthMethod, type ParsedKey, utils } from "ssh2";
import { messageOf } from "../core/errors.ts";
import type { SshAccess } from "../core/host-access.ts";

/**
 * What to log in to a host with: keys of files first, then those of an agent.
 *
 * @throws {Error} If a key that was named cannot be used, or there is nothing to log in with.
 */
export async function loginsOf(username: string, access: SshAccess): Promise<AnyAuthMethod[]> {
  const { identityFile, defaultIdentityFiles, agentSocket } = access;
  const passphrase = await passphraseOf(access);
  const keys =
    identityFile === undefined
      ? await usableKeys(defaultIdentityFiles, passphrase)
      : [await keyOf(identityFile, passphrase)];
  const logins: AnyAuthMethod[] = keys.map((key) => ({ type: "publickey", username, key }));
  if (agentSocket !== undefined) logins.push({ type: "agent", username, agent: agentSocket });
  if (logins.length === 0) {
    throw new Error(
      `there is no key to log in with: none of ${defaultIdentityFiles.join(", ")} can be used, and hostAccess names no identityFile`,
    );
  }
  return logins;
}

async function passphraseOf({ passphraseFile }: SshAccess): Promise<string | undefined> {
  if (passphraseFile === undefined) return undefined;
  const text = await readFile(passphraseFile, "utf8").catch((error: unknown) => {
    throw new Error(`cannot read the passphraseFile "${passphraseFile}": ${messageOf(error)}`);
  });
  return text.replace(/\r?\n$/, "");
}

/** Of the default files, those that are there and that no passphrase is missing for. */
async function usableKeys(
  files: readonly string[],
  passphrase: string | undefined,
): Promise<ParsedKey[]> {
  const keys = await Promise.all(files.map((file) => keyOf(file, passphrase).catch(() => null)));
  return keys.filter((key) => key !== null);
}

async function keyOf(file: string, passphrase: string | undefined): Promise<ParsedKey> {
  const text = await readFile(file).catch((error: unknown) => {
    throw new Error(`cannot read the identityFile "${file}": ${messageOf(error)}`);
  });
  const parsed = utils.parseKey(text, passphrase);
  const [key] = Array.isArray(parsed) ? parsed : [parsed];
  if (key === undefined || key instanceof Error) {
    throw new Error(`the key in "${file}" cannot be used: ${key?.message ?? "it is empty"}`);
  }
  return key;
}
