import type { NodemailerError } from "nodemailer";

export interface WordsOfServer {
  /** SMTP's code, of three digits; `null` when the server gave none. */
  code: number | null;
  /** The server's words without control characters and passwords, of 2 KiB at most. */
  answer: string;
}

export interface Refusal extends WordsOfServer {
  error: string;
  isFinal: boolean;
}

/** The mail server as it was spoken to. */
interface Server {
  host: string;
  port: number;
  user?: string;
  password?: string;
  from: string;
}

const MAX_ANSWER_BYTES = 2_048;
/** Of the server's words that stand in a sentence. */
const MAX_QUOTED = 300;
const HIDDEN = "***";

/** Codes of the operating system, of DNS and of TLS, as people say them. */
const CAUSES: Record<string, string> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "it broke the connection off",
  EPIPE: "it broke the connection off",
  ENETUNREACH: "its network cannot be reached",
  EHOSTUNREACH: "it cannot be reached",
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "its name could not be looked up",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by itself",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not from an authority that is trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not from an authority that is trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not from an authority that is trusted",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  WRONG_VERSION_NUMBER: "it does not speak TLS at this port from the beginning",
};

/** The code, and all that was said with it. */
export function wordsOf(response: string | undefined, server: Server): WordsOfServer {
  const text = withoutPassword(response ?? "", server)
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "\u{fffd}");
  const code = /^[2-5]\d\d(?![^ \-\n])/.exec(text)?.[0];
  return { code: code === undefined ? null : Number(code), answer: clipped(text) };
}

/** One attempt to send, as the sentence about it needs it. */
interface Attempt {
  server: Server;
  to: string;
  /** How long each answer was waited for, in milliseconds. */
  stepMs: number;
  /** The limit of the whole attempt in milliseconds, when that is what ended it. */
  lateMs: number | null;
}

/** Says in one sentence what went wrong. */
export function refusal(thrown: unknown, attempt: Attempt): Refusal {
  const { server, to } = attempt;
  const error = errorOf(thrown);
  const words = wordsOf(error.response, server);
  const host = server.host.includes(":") ? `[${server.host}]` : server.host;
  // A code for the greeting, the login or the sender is about us, and we can be put right.
  const isAboutMail = error.command === "RCPT TO" || error.command === "DATA";
  return {
    ...words,
    error: `Cannot send to "${to}" by ${host}:${server.port}: ${reasonOf(error, words, attempt)}`,
    isFinal: isAboutMail && error.permanent === true,
  };
}

/** The same without a mail: why the server cannot be used, as in "it refused the login". */
export function reasonOfRefusal(thrown: unknown, attempt: Omit<Attempt, "to">): string {
  const error = errorOf(thrown);
  return reasonOf(error, wordsOf(error.response, attempt.server), attempt);
}

function errorOf(thrown: unknown): NodemailerError {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function reasonOf(
  error: NodemailerError,
  words: WordsOfServer,
  attempt: Omit<Attempt, "to">,
): string {
  const { server, stepMs, lateMs } = attempt;
  if (lateMs !== null) return `it took over ${lateMs / 1_000} s`;
  if (words.code !== null && words.code < 400) return `it answered ${quoted(words.answer)}`;
  if (words.code !== null) return `${stepOf(error, server)} with ${quoted(words.answer)}`;
  if (error.code === "EABORT") return "it was broken off from here";
  if (error.code === "ETIMEDOUT") return `it did not answer within ${stepMs / 1_000} s`;
  if (error.code === "ECONNECTION") return "it closed the connection";
  const cause = CAUSES[error.originalCode ?? ""] ?? CAUSES[causeInWords(error)];
  return cause ?? quoted(wordsOf(error.message, server).answer);
}

/** What the TLS library calls an error is in the message alone. */
function causeInWords({ message }: NodemailerError): string {
  return Object.keys(CAUSES).find((code) => message.includes(code)) ?? "";
}

function stepOf({ command = "", code }: NodemailerError, { user, from }: Server): string {
  if (code === "EAUTH") return `it refused the login of "${user}"`;
  if (command === "MAIL FROM") return `it refused the sender "${from}"`;
  if (command === "RCPT TO") return "it refused the recipient";
  if (command === "DATA") return "it refused the mail";
  if (command === "STARTTLS") return "a login needs encryption, and it refused STARTTLS";
  return "it refused the session";
}

function quoted(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= MAX_QUOTED ? line : `${line.slice(0, MAX_QUOTED).toWellFormed()}...`;
}

function clipped(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_ANSWER_BYTES) return text;
  return bytes
    .subarray(0, MAX_ANSWER_BYTES)
    .toString()
    .replace(/\u{fffd}+$/u, "");
}

/** A server may repeat what was said to it, as it stands or as AUTH sends it. */
function withoutPassword(text: string, { user = "", password = "" }: Server): string {
  if (password === "") return text;
  const base64 = (secret: string) => Buffer.from(secret).toString("base64");
  const sent = [base64(`\0${user}\0${password}`), base64(password)];
  return [...sent, ...sent.map((text) => text.replace(/=+$/, "")), password].reduce(
    (rest, secret) => rest.replaceAll(secret, HIDDEN),
    text,
  );
}
