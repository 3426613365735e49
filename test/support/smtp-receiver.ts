import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo, Server } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";
import type { SmtpLogin } from "../../src/core/smtp-login.ts";

/** A mail as it arrived. */
interface ReceivedMail {
  from: string;
  to: string[];
  /** The login it came with. */
  user: string | null;
  isEncrypted: boolean;
  raw: string;
  parsed: ParsedMail;
}

export interface SmtpReceiverOptions {
  /** Without it, nobody is asked for a login. */
  login?: { user: string; password: string };
  /** Where STARTTLS is offered, or with `useSsl` TLS spoken from the first byte. */
  certificate?: { certFile: string; keyFile: string };
  useSsl?: boolean;
  /** Asked for each recipient; an answer such as `550 No such user` refuses it. */
  answerTo?: (recipient: string) => string | null;
  /** Asked for each whole mail, before it is recorded. */
  answerToMail?: (mail: ReceivedMail) => string | null;
}

export interface SmtpReceiver extends AsyncDisposable {
  port: number;
  /** Whole mails that were taken, in their order. */
  mails: readonly ReceivedMail[];
  /** How often somebody connected. */
  connections(): number;
  /** What sends to it, by default without a password. */
  login(more?: Partial<SmtpLogin>): SmtpLogin;
  /** When there are so many mails that fit. */
  waitFor(count: number, fits?: (mail: ReceivedMail) => boolean): Promise<ReceivedMail[]>;
  /** Nothing listens at the port, until `comeUp`. */
  goDown(): Promise<void>;
  comeUp(): Promise<void>;
}

/** A mail server on a port of loopback that keeps what it is sent. */
export async function startSmtpReceiver(options: SmtpReceiverOptions = {}): Promise<SmtpReceiver> {
  const mails: ReceivedMail[] = [];
  const waiting = new Set<() => void>();
  let connections = 0;
  const settings = settingsOf(options, {
    onConnect: () => {
      connections += 1;
    },
    onMail: (mail) => {
      mails.push(mail);
      for (const look of [...waiting]) look();
    },
  });
  const listen = async (port: number) => {
    const server = new SMTPServer(settings);
    // Clients that hang up are none of a test's business.
    server.on("error", () => {});
    await once(server.listen(port, "127.0.0.1"), "listening");
    return server;
  };
  let server: SMTPServer | null = await listen(0);
  const { port } = addressOf(server.server);
  const goDown = async () => {
    const gone = server;
    server = null;
    if (gone !== null) await new Promise<void>((closed) => gone.close(closed));
  };
  return {
    port,
    mails,
    connections: () => connections,
    login: (more = {}) => ({
      host: "127.0.0.1",
      port,
      from: "fastlane@example.com",
      useSsl: options.useSsl ?? false,
      ...more,
    }),
    waitFor: (count, fits = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const found = mails.filter(fits);
          if (found.length < count) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    goDown,
    async comeUp() {
      server ??= await listen(port);
    },
    [Symbol.asyncDispose]: goDown,
  };
}

interface Listeners {
  onConnect(): void;
  onMail(mail: ReceivedMail): void;
}

function settingsOf(options: SmtpReceiverOptions, listeners: Listeners): SMTPServerOptions {
  const { login, certificate, useSsl = false, answerTo, answerToMail } = options;
  return {
    logger: false,
    closeTimeout: 1,
    secure: useSsl,
    hideSMTPUTF8: false,
    authOptional: login === undefined,
    allowInsecureAuth: true,
    disabledCommands: [
      ...(login === undefined ? ["AUTH"] : []),
      ...(certificate === undefined || useSsl ? ["STARTTLS"] : []),
    ],
    ...(certificate === undefined
      ? {}
      : { key: readFileSync(certificate.keyFile), cert: readFileSync(certificate.certFile) }),
    onConnect(_session, done) {
      listeners.onConnect();
      done();
    },
    onAuth({ username, password }, _session, done) {
      const isRight = username === login?.user && password === login?.password;
      // Some servers repeat what they were told.
      if (isRight) done(null, { user: username });
      else done(smtpError(`535 5.7.8 Wrong login: ${username} ${password}`));
    },
    onRcptTo({ address }, _session, done) {
      done(smtpError(answerTo?.(address)));
    },
    onData(stream, session, done) {
      readMail(stream, session).then(
        (mail) => {
          const refused = smtpError(answerToMail?.(mail));
          if (refused === null) listeners.onMail(mail);
          done(refused);
        },
        // Whoever sent it has hung up.
        (error) => done(error),
      );
    },
  };
}

async function readMail(
  stream: AsyncIterable<Buffer>,
  { envelope, user, secure }: SMTPServerSession,
): Promise<ReceivedMail> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  return {
    from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
    to: envelope.rcptTo.map(({ address }) => address),
    user: typeof user === "string" ? user : null,
    isEncrypted: secure,
    raw: raw.toString("latin1"),
    parsed: await simpleParser(raw),
  };
}

function smtpError(answer: string | null | undefined): Error | null {
  const [, code, words] = /^(\d{3}) (.*)$/.exec(answer ?? "") ?? [];
  return code === undefined
    ? null
    : Object.assign(new Error(words), { responseCode: Number(code) });
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens at no port");
  return address;
}
