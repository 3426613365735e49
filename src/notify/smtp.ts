import { isIPv4 } from "node:net";
import { format } from "node:util";
import { createTransport, type SendMailOptions, type SMTPTransportOptions } from "nodemailer";
import type { SmtpLogin } from "../core/smtp-login.ts";
import { domainOf, isAddress, senderOf } from "./mail-address.ts";
import { reasonOfRefusal, refusal, type WordsOfServer, wordsOf } from "./mail-answer.ts";

export interface Mail {
  /** What the Message-ID is made of: the same at every attempt. */
  id: string;
  to: string;
  /** One line; a line end in it becomes a space. */
  subject: string;
  text: string;
  html: string;
}

/** What became of one attempt. */
export interface MailAnswer extends WordsOfServer {
  ok: boolean;
  /** A sentence for people; `null` when the mail was taken. */
  error: string | null;
  /** No later attempt can go better: the recipient or the mail itself was refused with 5xx. */
  isFinal: boolean;
  durationMs: number;
  /** When the attempt began. */
  at: Date;
}

interface MailOptions {
  /**
   * In milliseconds, for the way to the first answer (name, connection, TLS, greeting), and for each
   * one after it.
   */
  stepMs: number;
  /** In milliseconds. */
  overallMs: number;
  /** Told each line of the conversation, without passwords: `> ` is ours, `< ` the server's. */
  onLine?(line: string): void;
}

const USUAL: MailOptions = { stepMs: 10_000, overallMs: 30_000 };
/** Of one answer, in bytes; a server that says more is hung up on. */
const MAX_ANSWER_BYTES = 65_536;

/**
 * One attempt to hand a mail over, on a connection of its own. Whatever the server does is told by
 * the answer; an attempt that was broken off may still have delivered the mail.
 *
 * An international domain goes out as Punycode; what stands before the `@` goes as it is, with
 * SMTPUTF8 where the server has it, and is the server's to refuse where it has not.
 */
export async function sendMail(
  login: SmtpLogin,
  mail: Mail,
  signal: AbortSignal,
  options: Partial<MailOptions> = {},
): Promise<MailAnswer> {
  const limits = { ...USUAL, ...options };
  const at = new Date();
  const begin = performance.now();
  const answer = (of: Omit<MailAnswer, "durationMs" | "at">): MailAnswer => ({
    ...of,
    durationMs: Math.round(performance.now() - begin),
    at,
  });
  const cannot = wrongBeforehand(login, mail);
  if (cannot !== null) return answer({ ok: false, code: null, answer: "", ...cannot });

  const deadline = AbortSignal.timeout(limits.overallMs);
  try {
    const { response } = await createTransport(transportOf(login, limits)).sendMail({
      ...messageOf(login, mail),
      signal: AbortSignal.any([signal, deadline]),
    });
    return answer({ ok: true, ...wordsOf(response, login), error: null, isFinal: false });
  } catch (error) {
    const lateMs = deadline.aborted && !signal.aborted ? limits.overallMs : null;
    const attempt = { server: login, to: mail.to, stepMs: limits.stepMs, lateMs };
    return answer({ ok: false, ...refusal(error, attempt) });
  }
}

/**
 * Connects and logs in as for a mail, and sends none.
 *
 * @returns Why it cannot be done, as in "it refused the login"; `null` when it can.
 */
export async function tryMailServer(
  login: SmtpLogin,
  options: Partial<MailOptions> = {},
): Promise<string | null> {
  const limits = { ...USUAL, ...options };
  if (senderOf(login.from) === null) {
    return `what mails are from, ${JSON.stringify(login.from)}, is not an e-mail address, or more than one`;
  }
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), limits.overallMs);
  const attempt = { server: login, stepMs: limits.stepMs };
  try {
    const verified = createTransport(transportOf(login, limits)).verify();
    const outcome = await Promise.race([verified, late.promise]);
    const lateMs = limits.overallMs;
    return outcome === "late" ? reasonOfRefusal(outcome, { ...attempt, lateMs }) : null;
  } catch (error) {
    return reasonOfRefusal(error, { ...attempt, lateMs: null });
  } finally {
    clearTimeout(timer);
  }
}

function wrongBeforehand(login: SmtpLogin, mail: Mail): { error: string; isFinal: boolean } | null {
  if (!isAddress(mail.to)) {
    const error = `Cannot send to ${JSON.stringify(mail.to)}: it is not an e-mail address`;
    return { error, isFinal: true };
  }
  if (senderOf(login.from) === null) {
    const error = `Cannot send from ${JSON.stringify(login.from)}: it is not an e-mail address, or more than one`;
    return { error, isFinal: false };
  }
  return null;
}

function transportOf(login: SmtpLogin, { stepMs, onLine }: MailOptions): SMTPTransportOptions {
  const { host, port, user, password, useSsl, ca } = login;
  const isHere = isLoopback(host);
  const isUnverified = isHere && !useSsl && ca === undefined;
  return {
    host,
    port,
    secure: useSsl,
    requireTLS: user !== undefined && !isHere && !useSsl,
    tls: {
      minVersion: "TLSv1.2",
      rejectUnauthorized: !isUnverified,
      ...(ca === undefined ? {} : { ca }),
    },
    // Where a server takes no login, nodemailer would send without one, and nobody would know.
    ...(user === undefined ? {} : { auth: { user, pass: password ?? "" }, forceAuth: true }),
    connectionTimeout: stepMs,
    socketTimeout: stepMs,
    maxResponseSize: MAX_ANSWER_BYTES,
    ...(onLine === undefined ? {} : { debug: true, logger: loggerOf(onLine) }),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** nodemailer tells its log of each command and answer, with the password left out. */
function loggerOf(onLine: (line: string) => void) {
  const signs: Record<string, string> = { client: ">", server: "<" };
  const debug = ({ tnx = "" }: { tnx?: string }, text: string, ...values: unknown[]) => {
    const sign = signs[tnx];
    if (sign === undefined) return;
    for (const line of format(text, ...values)
      .trimEnd()
      .split(/\r?\n/))
      onLine(`${sign} ${line}`);
  };
  const silent = () => {};
  return { debug, trace: silent, info: silent, warn: silent, error: silent, fatal: silent };
}

function messageOf(login: SmtpLogin, mail: Mail): SendMailOptions {
  const from = senderOf(login.from) ?? { name: "", address: "" };
  return {
    from,
    // An object is one address whatever it holds; a text would be parsed as a list.
    to: { name: "", address: mail.to },
    envelope: { from: from.address, to: [mail.to] },
    subject: subjectOf(mail.subject),
    messageId: `<${mail.id.replace(/[^A-Za-z0-9._-]/g, "-")}@${domainOf(from.address)}>`,
    // Nobody's holiday note is to be answered to a machine (RFC 3834; the second is Exchange's).
    headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
    text: mail.text,
    html: mail.html,
  };
}

function subjectOf(text: string): string {
  const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
  // What begins an encoded word would be decoded by mail programs, whatever is in it (RFC 2047).
  return line.replaceAll("=?", "= ?");
}

/** By its name alone: what else leads to this machine is treated as if it did not. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
