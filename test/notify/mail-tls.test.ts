import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { sendMail } from "../../src/notify/smtp.ts";
import { makeAuthority } from "../support/certificates.ts";
import { startSmtpReceiver } from "../support/smtp-receiver.ts";

const folder = mkdtempSync(`${tmpdir()}/fastlane-mail-`);
afterAll(() => rmSync(folder, { recursive: true }));

const HERE = "127.0.0.1";
/** Linux takes it for loopback, but it does not say so: as good as any other machine. */
const ELSEWHERE = "0.0.0.0";
const NEVER = new AbortController().signal;
const LOGIN = { user: "fastlane", password: "canary-2b7e" };
const MAIL = { id: "1", to: "bob@example.com", subject: "s", text: "t", html: "<p>t</p>" };

const authority = makeAuthority(`${folder}/ours`);
const other = makeAuthority(`${folder}/other`);
const ca = readFileSync(authority.caFile, "utf8");
const certificate = authority.issueServer("here", HERE);
const wrong = {
  "from another authority": other.issueServer("here", HERE),
  "for another name": authority.issueServer("another", "192.0.2.7"),
  expired: authority.issueExpired("expired", HERE),
};

test("TLS is spoken from the first byte where that is asked for", async () => {
  await using receiver = await startSmtpReceiver({ certificate, useSsl: true, login: LOGIN });

  const answer = await sendMail(receiver.login({ ca, ...LOGIN }), MAIL, NEVER);

  expect(answer).toMatchObject({ ok: true, error: null });
  expect(receiver.mails).toMatchObject([{ isEncrypted: true, user: "fastlane" }]);
});

test("STARTTLS is used where it is offered, before the login", async () => {
  await using receiver = await startSmtpReceiver({ certificate, login: LOGIN });

  const answer = await sendMail(receiver.login({ ca, ...LOGIN }), MAIL, NEVER);

  expect(answer).toMatchObject({ ok: true, error: null });
  expect(receiver.mails).toMatchObject([{ isEncrypted: true, user: "fastlane" }]);
});

test.each(Object.entries(wrong))("a certificate that is %s is refused", async (_, certificate) => {
  for (const useSsl of [true, false]) {
    await using receiver = await startSmtpReceiver({ certificate, useSsl });

    const answer = await sendMail(receiver.login({ ca }), MAIL, NEVER);

    expect(answer).toMatchObject({ ok: false, code: null, isFinal: false });
    expect(answer.error).toContain(": its certificate ");
    expect(receiver.mails).toEqual([]);
  }
});

test("a certificate that nobody has signed is refused, but for STARTTLS on this machine itself", async () => {
  const unknown = wrong["from another authority"];
  await using plain = await startSmtpReceiver({ certificate: unknown });
  await using tls = await startSmtpReceiver({ certificate: unknown, useSsl: true });

  const here = await sendMail(plain.login({ host: HERE }), MAIL, NEVER);
  const elsewhere = await sendMail(plain.login({ host: ELSEWHERE }), MAIL, NEVER);
  const implicit = await sendMail(tls.login({ host: HERE }), MAIL, NEVER);

  expect(here.ok).toBe(true);
  expect(plain.mails).toMatchObject([{ isEncrypted: true }]);
  for (const { ok, error } of [elsewhere, implicit]) {
    expect(ok).toBe(false);
    expect(error).toEndWith("its certificate is not from an authority that is trusted");
  }
});

test("a password goes unencrypted to this machine alone", async () => {
  await using receiver = await startSmtpReceiver({ login: LOGIN });

  const here = await sendMail(receiver.login({ ...LOGIN, host: HERE }), MAIL, NEVER);
  const elsewhere = await sendMail(receiver.login({ ...LOGIN, host: ELSEWHERE }), MAIL, NEVER);

  expect(here.ok).toBe(true);
  expect(elsewhere).toMatchObject({ ok: false, isFinal: false });
  expect(elsewhere.error).toContain("a login needs encryption, and it refused STARTTLS with 500");
  expect(receiver.mails).toHaveLength(1);
});

test("without a login, a mail may go unencrypted", async () => {
  await using receiver = await startSmtpReceiver();

  const answer = await sendMail(receiver.login({ host: ELSEWHERE }), MAIL, NEVER);

  expect(answer.ok).toBe(true);
});

test("a server that does not speak TLS at its port is named so", async () => {
  await using receiver = await startSmtpReceiver();

  const answer = await sendMail(receiver.login({ useSsl: true }), MAIL, NEVER);

  expect(answer).toMatchObject({ ok: false, code: null, isFinal: false });
  expect(answer.error).toEndWith("it does not speak TLS at this port from the beginning");
});
