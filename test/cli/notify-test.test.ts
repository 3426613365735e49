import { expect, test } from "bun:test";
import { execFile } from "node:child_process";
import { startSmtpReceiver } from "../support/smtp-receiver.ts";
import { startReceiver } from "../support/webhook-receiver.ts";

const BINARY = new URL("../../dist/fastlane", import.meta.url).pathname;
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PRIVATE = { FASTLANE_WEBHOOKS_ALLOW_PRIVATE: "true" };

function notifyTest(args: string[], environment: Record<string, string> = {}) {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...environment };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      BINARY,
      ["notify-test", ...args],
      { env, cwd: "/" },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

test("a sample webhook is sent and signed, and what was said is shown", async () => {
  await using receiver = await startReceiver({
    answer: { status: 200, body: "thanks\u001b[2J\n" },
  });

  const { code, stdout } = await notifyTest(
    ["--webhook", `${receiver.url}/x`, "--secret", SECRET],
    PRIVATE,
  );

  expect([code, receiver.requests.length]).toEqual([0, 1]);
  expect(JSON.parse(receiver.requests[0]?.body ?? "")).toMatchObject({ event: "finishes" });
  expect(receiver.requests[0]?.headers["webhook-signature"]).toMatch(/^v1,/);
  for (const line of [`> POST ${receiver.url}/x`, "< 200", "< thanks\u{fffd}[2J", "It was taken"]) {
    expect(stdout.split("\n")).toContain(line);
  }
  expect(stdout).not.toContain(SECRET);
});

test("a webhook that is not taken ends the command with 1, and says why", async () => {
  await using receiver = await startReceiver({ answer: 503 });

  const refused = await notifyTest(["--webhook", receiver.url], PRIVATE);
  const forbidden = await notifyTest(["--webhook", receiver.url]);

  expect([refused.code, forbidden.code]).toEqual([1, 1]);
  expect(refused.stdout).toContain("It was not taken: ");
  expect(forbidden.stdout).toContain("webhooksAllowPrivate");
});

test("a sample mail is sent by the configured server, and the conversation hides the password", async () => {
  const login = { user: "ada", password: "lovelace" };
  await using receiver = await startSmtpReceiver({ login });

  const { code, stdout } = await notifyTest(["--mail", "ops@example.com"], {
    FASTLANE_SMTP_HOST: "127.0.0.1",
    FASTLANE_SMTP_PORT: String(receiver.port),
    FASTLANE_SMTP_USER: login.user,
    FASTLANE_SMTP_PASSWORD: login.password,
  });

  expect([code, receiver.mails.length]).toEqual([0, 1]);
  expect(stdout).toContain("> RCPT TO:<ops@example.com>");
  expect(stdout).toContain("It was taken");
  for (const hidden of [login.password, btoa(`\0${login.user}\0${login.password}`)]) {
    expect(stdout).not.toContain(hidden);
  }
});

test("without a mail server, a URL or an address it says what is missing", async () => {
  const noServer = await notifyTest(["--mail", "ops@example.com"]);
  const neither = await notifyTest([]);
  const wrong = await notifyTest(["--webhook", "ftp://hooks.example/"]);

  expect([noServer.code, noServer.stdout]).toEqual([
    1,
    "It was not taken: smtpHost is not configured\n",
  ]);
  expect([neither.code, neither.stderr.split("\n")[0]]).toEqual([
    2,
    "error: give --webhook URL or --mail ADDRESS",
  ]);
  expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
  expect(wrong.stderr).toContain("must be an http(s) URL");
});
