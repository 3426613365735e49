import { describe, expect, test } from "bun:test";
import { type Mail, sendMail } from "../../src/notify/smtp.ts";
import { startSmtpReceiver } from "../support/smtp-receiver.ts";

const NEVER = new AbortController().signal;
const CANARY = "canary-5f1c/9e";
const LOGIN = { user: "fastlane", password: CANARY };

const mail = (more: Partial<Mail> = {}): Mail => ({
  id: "7b2e9c04",
  to: "bob@example.com",
  subject: "[Fastlane] Job reports/1 failed!",
  text: "It failed.\n",
  html: "<p>It failed.</p>",
  ...more,
});

test("a mail arrives with both its parts, and says that a machine wrote it", async () => {
  await using receiver = await startSmtpReceiver();
  const begin = Date.now();

  const answer = await sendMail(
    receiver.login({ from: "fast lane <f@example.com>" }),
    mail(),
    NEVER,
  );

  expect(answer).toMatchObject({ ok: true, code: 250, error: null, isFinal: false });
  const [{ from, to, parsed } = expect.unreachable()] = receiver.mails;
  expect([from, to]).toEqual(["f@example.com", ["bob@example.com"]]);
  expect(parsed.subject).toBe("[Fastlane] Job reports/1 failed!");
  expect(parsed.text).toBe("It failed.\n");
  expect(parsed.html).toBe("<p>It failed.</p>");
  expect(parsed.from?.value).toEqual([{ name: "fast lane", address: "f@example.com" }]);
  expect(parsed.headers.get("to")).toMatchObject({ text: "bob@example.com" });
  expect(parsed.headers.get("auto-submitted")).toBe("auto-generated");
  expect(parsed.messageId).toBe("<7b2e9c04@example.com>");
  // A header has whole seconds.
  expect(Number(parsed.date)).toBeGreaterThan(begin - 2_000);
});

test("every attempt at a mail has the same Message-ID", async () => {
  await using receiver = await startSmtpReceiver();

  for (const id of ["one", "one", "two>\r\n"])
    await sendMail(receiver.login(), mail({ id }), NEVER);

  expect(receiver.mails.map(({ parsed }) => parsed.messageId)).toEqual([
    "<one@example.com>",
    "<one@example.com>",
    "<two---@example.com>",
  ]);
});

test("a mail comes with the login", async () => {
  await using receiver = await startSmtpReceiver({ login: LOGIN });

  const answer = await sendMail(receiver.login(LOGIN), mail(), NEVER);

  expect(answer.ok).toBe(true);
  expect(receiver.mails.map(({ user }) => user)).toEqual(["fastlane"]);
});

test("a wrong login may be put right, and its password is never told, not even by the server", async () => {
  await using receiver = await startSmtpReceiver({
    login: { user: "fastlane", password: "right" },
  });

  const answer = await sendMail(receiver.login(LOGIN), mail(), NEVER);

  expect(answer).toMatchObject({ ok: false, code: 535, isFinal: false });
  expect(answer.answer).toBe("535 5.7.8 Wrong login: fastlane ***");
  expect(answer.error).toBe(
    `Cannot send to "bob@example.com" by 127.0.0.1:${receiver.port}: it refused the login of "fastlane" with 535 5.7.8 Wrong login: fastlane ***`,
  );
  expect(JSON.stringify(answer)).not.toContain(CANARY);
});

test("a mail that is to come with a login never goes without", async () => {
  await using receiver = await startSmtpReceiver();

  const answer = await sendMail(receiver.login(LOGIN), mail(), NEVER);

  expect(answer.error).toContain('it refused the login of "fastlane"');
  expect(receiver.mails).toEqual([]);
});

test("a recipient that is refused names itself, and is not tried again", async () => {
  await using receiver = await startSmtpReceiver({ answerTo: () => "550 5.1.1 No such user" });

  const answer = await sendMail(receiver.login(), mail(), NEVER);

  expect(answer).toMatchObject({
    ok: false,
    code: 550,
    answer: "550 5.1.1 No such user",
    error: `Cannot send to "bob@example.com" by 127.0.0.1:${receiver.port}: it refused the recipient with 550 5.1.1 No such user`,
    isFinal: true,
  });
});

test("a mail that is refused is not tried again", async () => {
  await using receiver = await startSmtpReceiver({ answerToMail: () => "554 5.7.1 Spam" });

  const answer = await sendMail(receiver.login(), mail(), NEVER);

  expect(answer).toMatchObject({ ok: false, code: 554, isFinal: true });
  expect(answer.error).toContain("it refused the mail with 554 5.7.1 Spam");
});

test("greylisting is worth another try, which succeeds", async () => {
  let tries = 0;
  await using receiver = await startSmtpReceiver({
    answerTo: () => (++tries === 1 ? "451 4.7.1 Come back later" : null),
  });

  const first = await sendMail(receiver.login(), mail(), NEVER);
  const second = await sendMail(receiver.login(), mail(), NEVER);

  expect(first).toMatchObject({ ok: false, code: 451, isFinal: false });
  expect(second).toMatchObject({ ok: true, error: null });
  expect(receiver.mails).toHaveLength(1);
});

test("a server that is down is worth another try, which succeeds when it is up", async () => {
  await using receiver = await startSmtpReceiver();
  await receiver.goDown();

  const down = await sendMail(receiver.login(), mail(), NEVER);
  await receiver.comeUp();
  const up = await sendMail(receiver.login(), mail(), NEVER);

  expect(down).toMatchObject({ ok: false, code: null, answer: "", isFinal: false });
  expect(down.error).toBe(
    `Cannot send to "bob@example.com" by 127.0.0.1:${receiver.port}: nothing listens there`,
  );
  expect(up.ok).toBe(true);
  expect(await receiver.waitFor(1)).toHaveLength(1);
});

test("a server whose name is not known is worth another try", async () => {
  const login = { host: "mail.invalid", port: 25, from: "f@example.com", useSsl: false };

  const answer = await sendMail(login, mail(), NEVER);

  expect(answer).toMatchObject({ ok: false, code: null, isFinal: false });
  expect(answer.error).toMatch(/by mail\.invalid:25: its name /);
});

test("an attempt that is broken off ends at once", async () => {
  const stop = new AbortController();
  await using receiver = await startSmtpReceiver({
    answerTo: () => {
      stop.abort();
      return null;
    },
  });

  const answer = await sendMail(receiver.login(), mail(), stop.signal);
  const late = await sendMail(receiver.login(), mail(), stop.signal);

  expect(answer).toMatchObject({ ok: false, isFinal: false });
  expect(answer.error).toContain("it was broken off from here");
  expect(late.error).toContain("it was broken off from here");
  expect(receiver.connections()).toBe(1);
});

describe("nobody but the recipient is written to", () => {
  test.each([
    "bob@example.com\r\nBcc: eve@example.com",
    "bob@example.com, eve@example.com",
    "bob@example.com;eve@example.com",
    "<bob@example.com>",
    '"bob\r\nRCPT TO:<eve@example.com>"@example.com',
    '"bob"@example.com',
    "bob",
    "bob@example.com\0",
    "",
    `${"b".repeat(250)}@example.com`,
  ])("%j is no address: it is refused for good, before anybody is asked", async (to) => {
    await using receiver = await startSmtpReceiver();

    const answer = await sendMail(receiver.login(), mail({ to }), NEVER);

    expect(answer).toMatchObject({ ok: false, code: null, isFinal: true });
    expect(answer.error).toBe(`Cannot send to ${JSON.stringify(to)}: it is not an e-mail address`);
    expect(receiver.connections()).toBe(0);
  });

  test.each(["f@example.com, g@example.com", "f@example.com\r\nBcc: eve@example.com", "us: f@x;"])(
    "nobody is written to by a sender such as %j, which may be put right",
    async (from) => {
      await using receiver = await startSmtpReceiver();

      const answer = await sendMail(receiver.login({ from }), mail(), NEVER);

      expect(answer).toMatchObject({ ok: false, isFinal: false });
      expect(answer.error).toStartWith(`Cannot send from ${JSON.stringify(from)}`);
      expect(receiver.connections()).toBe(0);
    },
  );

  test.each([
    ["a\r\nBcc: eve@example.com", "a Bcc: eve@example.com"],
    ["a\r\n\r\n<b>body</b>", "a <b>body</b>"],
    ['"quoted" \\ <eve@example.com>', '"quoted" \\ <eve@example.com>'],
    ["Auftrag für Größe 🚀 ist fertig", "Auftrag für Größe 🚀 ist fertig"],
    ["=?utf-8?Q?a=0D=0ABcc:_eve@x.example?=", "= ?utf-8?Q?a=0D=0ABcc:_eve@x.example?="],
    ["x".repeat(2_000), "x".repeat(2_000)],
  ])("the subject %j is one line", async (subject, arrived) => {
    await using receiver = await startSmtpReceiver();

    await sendMail(receiver.login(), mail({ subject }), NEVER);

    const [{ parsed } = expect.unreachable()] = receiver.mails;
    expect(parsed.subject).toBe(arrived);
    expect(parsed.headers.has("bcc")).toBe(false);
    expect(parsed.text).toBe("It failed.\n");
  });
});

test.each([
  ["bob@bücher.example", "bob@xn--bcher-kva.example"],
  ["jürgen@bücher.example", "jürgen@xn--bcher-kva.example"],
])("the international address %s is written to", async (to, arrived) => {
  await using receiver = await startSmtpReceiver();

  const answer = await sendMail(receiver.login({ from: "f@bücher.example" }), mail({ to }), NEVER);

  expect(answer).toMatchObject({ ok: true });
  const [received = expect.unreachable()] = receiver.mails;
  expect(received.to.map((address) => address.replace("bücher", "xn--bcher-kva"))).toEqual([
    arrived,
  ]);
  expect(received.parsed.messageId).toBe("<7b2e9c04@xn--bcher-kva.example>");
});
