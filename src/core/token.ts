import { createHash, randomInt } from "node:crypto";

/** What can be read off a token alone. */
export interface ReadToken {
  /** The part that is no secret, by which its row is found. */
  id: string;
  /** SHA-256 of all of it. */
  digest: Buffer;
}

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH = 12;
/** 62^43 is just above 2^256. */
const SECRET_LENGTH = 43;
const CHECK_LENGTH = 6;
const TOKEN = new RegExp(
  `^(fl_([0-9A-Za-z]{${ID_LENGTH}})_[0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${CHECK_LENGTH}})$`,
);

/** What every token begins with, also one that was copied badly. */
export const TOKEN_PREFIX = "fl_";

/** @returns A token that nobody has yet, with what is kept of it. */
export function newToken(): ReadToken & { token: string } {
  const id = randomLetters(ID_LENGTH);
  const body = `${TOKEN_PREFIX}${id}_${randomLetters(SECRET_LENGTH)}`;
  const token = body + checkOf(body);
  return { token, id, digest: digestOf(token) };
}

/** @returns `null` for a text that is no token: the sum at its end tells one that was mistyped. */
export function readToken(text: string): ReadToken | null {
  const [, body, id, check] = TOKEN.exec(text) ?? [];
  if (body === undefined || id === undefined || checkOf(body) !== check) return null;
  return { id, digest: digestOf(text) };
}

const digestOf = (text: string) => createHash("sha256").update(text).digest();

function checkOf(body: string): string {
  const bytes = createHash("sha256").update(`fastlane token ${body}`).digest();
  return [...bytes.subarray(0, CHECK_LENGTH)]
    .map((byte) => LETTERS[byte % LETTERS.length])
    .join("");
}

function randomLetters(length: number): string {
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join("");
}
