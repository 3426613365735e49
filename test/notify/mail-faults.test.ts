import { expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { sendMail } from "../../src/notify/smtp.ts";

const NEVER = new AbortController().signal;
const LONG = { stepMs: 60_000, overallMs: 60_000 };
const MAIL = { id: "1", to: "bob@example.com", subject: "s", text: "t".repeat(999_999), html: "" };

test.each([
  ["the greeting", () => ({})],
  ["EHLO", () => ({ greeting: "220 hello" })],
  ["RCPT TO", () => ({ greeting: "220 hello", answers: answersUntil("RCPT") })],
  ["the mail", () => ({ greeting: "220 hello", answers: answersUntil("."), isReading: true })],
])("a server that says nothing to %s is given up, and may be tried again", async (_, script) => {
  await using server = await startScripted(script());

  const answer = await sendMail(server.login, MAIL, NEVER, { ...LONG, stepMs: 200 });

  expect(answer).toMatchObject({ ok: false, code: null, isFinal: false });
  expect(answer.error).toEndWith(`${server.login.port}: it did not answer within 0.2 s`);
  await server.hungUp();
});

test("a server that goes on and on is given up after the time for all", async () => {
  await using server = await startScripted({ greeting: "220-hello", isDripping: true });

  const answer = await sendMail(server.login, MAIL, NEVER, { ...LONG, overallMs: 300 });

  expect(answer).toMatchObject({ ok: false, code: null, isFinal: false });
  expect(answer.error).toEndWith("it took over 0.3 s");
  await server.hungUp();
});

test("a server that closes in the middle of the mail may be tried again", async () => {
  await using server = await startScripted({ greeting: "220 hello", answers: answersUntil(".") });

  const answer = await sendMail(server.login, MAIL, NEVER, LONG);

  expect(answer).toMatchObject({ ok: false, code: null, isFinal: false });
  expect(answer.error).toMatch(/it (closed the connection|broke the connection off)$/);
});

test("a server that never ends its greeting is hung up on", async () => {
  const greeting = `220-${"hello ".repeat(100_000)}`;
  await using server = await startScripted({ greeting });

  const answer = await sendMail(server.login, MAIL, NEVER, LONG);

  expect(answer).toMatchObject({ ok: false, code: null, answer: "", isFinal: false });
  expect(answer.error).toEndWith("Server response exceeds maximum allowed size");
  await server.hungUp();
});

test("what a server says is cut to 2 KiB and has no control characters", async () => {
  const greeting = `554-no\0\x1b[31m ä\r\n554-${"wörter ".repeat(5_000)}\r\n554 end`;
  await using server = await startScripted({ greeting });

  const { code, answer, error, isFinal } = await sendMail(server.login, MAIL, NEVER, LONG);

  expect([code, isFinal]).toEqual([554, false]);
  expect(answer).toStartWith("554-no\u{fffd}\u{fffd}[31m ä\n554-wörter ");
  expect(Buffer.byteLength(answer)).toBeLessThanOrEqual(2_048);
  expect(error).toContain("it refused the session with 554-no\u{fffd}\u{fffd}[31m ä 554-wörter");
  expect(error?.length).toBeLessThan(500);
});

test.each([
  ["421 4.3.2 Going down", "it refused the session with 421 4.3.2 Going down"],
  ["250 Hello", "it answered 250 Hello"],
  ["HTTP/1.1 400 Bad Request", "Invalid greeting. response=HTTP/1.1 400 Bad Request"],
])("a server that greets with %j is no reason to give a mail up", async (greeting, why) => {
  await using server = await startScripted({ greeting });

  const answer = await sendMail(server.login, MAIL, NEVER, LONG);

  expect(answer).toMatchObject({ ok: false, isFinal: false });
  expect(answer.error).toContain(`: ${why}`);
});

test("a server that repeats the password in any of the forms it was sent in does not get it told", async () => {
  const password = "canary-9d41-and-more";
  await using server = await startScripted({
    greeting: "220 hello",
    answers: (line) =>
      line.startsWith("EHLO") ? "250-me\r\n250 AUTH PLAIN" : `535 ${line} for ${password}`,
  });

  const login = { ...server.login, user: "u", password };
  const answer = await sendMail(login, MAIL, NEVER, LONG);

  expect(answer.answer).toBe("535 AUTH PLAIN *** for ***");
  expect(JSON.stringify(answer)).not.toContain("canary");
});

interface Script {
  greeting?: string;
  /** To each line before the mail; `null` is no answer. */
  answers?: (line: string) => string | null;
  /** Whether the mail is read to its end; else its first bytes end the connection. */
  isReading?: boolean;
  /** Whether the greeting goes on, line by line. */
  isDripping?: boolean;
}

function answersUntil(word: string): (line: string) => string | null {
  return (line) =>
    line.startsWith(word) ? null : line.startsWith("DATA") ? "354 go on" : "250 fine";
}

/** A server that does what no mail server should. */
async function startScripted({ greeting, answers, isReading, isDripping }: Script) {
  const sockets: Socket[] = [];
  const closed = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    sockets.push(socket);
    let isMail = false;
    const drip = isDripping && setInterval(() => socket.write("220-and\r\n"), 5);
    socket.on("error", () => {});
    socket.on("close", () => {
      if (drip) clearInterval(drip);
      closed.resolve();
    });
    if (greeting !== undefined) socket.write(`${greeting}\r\n`);
    socket.on("data", (data) => {
      if (isMail) {
        if (!isReading) socket.destroy();
        return;
      }
      for (const line of data.toString().trimEnd().split("\r\n")) {
        const answer = answers?.(line) ?? null;
        isMail ||= line.startsWith("DATA");
        if (answer !== null) socket.write(`${answer}\r\n`);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens at no port");
  return {
    login: { host: "127.0.0.1", port: address.port, from: "f@example.com", useSsl: false },
    /** When nobody is connected any more. */
    hungUp: () => closed.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
