import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_LINE = /^[A-Za-z0-9+/]{43}=?$/;
const FORM = "v1";
const ID_LENGTH = 8;

/** What the file is called in the data folder. */
export const KEY_FILE = "secret.key";

/** What the default file shows: everybody knows it, so it is none. */
export const EXAMPLE_KEY = "8J+UkSB0aGlzIGlzIG9ubHkgYW4gZXhhbXBsZSAhISE=";

export const KEYS_WRONG =
  "must have lines of 32 bytes in base64, such as `openssl rand -base64 32` prints, and not those of the example";

/** What is sealed cannot be opened: by a key that is not there, or because it was changed. */
export class SealedShut extends Error {
  override readonly name = "SealedShut";
}

/** The keys of an installation: the first seals, all of them open. */
export interface Keyring {
  /** By what the first key is known; nothing of the key itself can be told from it. */
  readonly check: string;
  /** The same of all keys. */
  readonly checks: readonly string[];
  /** @param about Whose it is and what; it opens for nothing else. */
  seal(text: string, about: string): string;
  /** @throws {SealedShut} */
  open(sealed: string, about: string): string;
  /** A digest of a text that nobody can make, or guess the text by, without the first key. */
  digest(text: string): Buffer;
  /** The same by each of the keys. */
  digests(text: string): Buffer[];
}

interface Key {
  id: string;
  check: string;
  sealing: Buffer;
  digesting: Buffer;
}

/** A new key, as a file holds it. */
export function newKeyLine(): string {
  return `${randomBytes(KEY_BYTES).toString("base64")}\n`;
}

/** Whether a text has one key at least, and nothing but keys that not everybody knows, one a line. */
export function areKeys(text: string): boolean {
  const lines = linesOf(text);
  return lines.length > 0 && lines.every((line) => KEY_LINE.test(line) && !isExample(line));
}

/** With or without the sign at its end. */
const isExample = (line: string) => EXAMPLE_KEY.startsWith(line);

/** @param text See `areKeys`. */
export function createKeyring(text: string): Keyring {
  if (!areKeys(text)) throw new Error(`The key ${KEYS_WRONG}`);
  const keys = linesOf(text).map((line) => keyOf(Buffer.from(line, "base64")));
  const first = keys[0] as Key;
  return {
    check: first.check,
    checks: keys.map(({ check }) => check),
    seal: (text, about) => sealedBy(first, text, about),
    open: (sealed, about) => opened(keys, sealed, about),
    digest: (text) => macOf(first.digesting, text),
    digests: (text) => keys.map(({ digesting }) => macOf(digesting, text)),
  };
}

const linesOf = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

const macOf = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();

/** A key of its own for each use of the one that is given. */
function keyOf(bytes: Buffer): Key {
  const derived = (use: string) =>
    Buffer.from(hkdfSync("sha256", bytes, "", `fastlane ${use}`, KEY_BYTES));
  const check = derived("check").toString("base64url");
  const id = check.slice(0, ID_LENGTH);
  return { id, check, sealing: derived("seal"), digesting: derived("digest") };
}

/** What is sealed about one thing has an AES key of its own: random nonces of one key must not be too many. */
function sealedBy({ id, sealing }: Key, text: string, about: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", macOf(sealing, about), nonce);
  cipher.setAAD(Buffer.from(about));
  const data = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
  return `${FORM}.${id}.${Buffer.concat(data).toString("base64url")}`;
}

function opened(keys: readonly Key[], sealed: string, about: string): string {
  const [form, id, text = ""] = sealed.split(".");
  const key = keys.find((one) => one.id === id);
  if (form !== FORM || key === undefined) {
    throw new SealedShut(`it is sealed by key "${id?.slice(0, ID_LENGTH)}", which is not here`);
  }
  const data = Buffer.from(text, "base64url");
  try {
    const nonce = data.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv("aes-256-gcm", macOf(key.sealing, about), nonce);
    decipher.setAAD(Buffer.from(about));
    decipher.setAuthTag(data.subarray(-TAG_BYTES));
    const first = decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([first, decipher.final()]).toString("utf8");
  } catch {
    throw new SealedShut("it was changed, or is another's");
  }
}
