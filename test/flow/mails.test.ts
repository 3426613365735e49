import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { enqueue, eventually, untilEnded } from "../support/client.ts";
import { startSmtpReceiver } from "../support/smtp-receiver.ts";

const QUICK = { webhooksExponentialBackoffMinMs: 50, webhooksExponentialBackoffFactor: 1 };
const PUBLIC_URL = "https://jobs.example/lane";
const WORDS = ["sh", "-c", "echo '<b>last words</b>'; exit 3"];

interface Delivery {
  kind: string;
  status: string;
  target: string;
  attempts: { ok: boolean; code: number | null; error: string | null }[];
}

async function untilSettled({ executionUrl }: { executionUrl: string }): Promise<Delivery[]> {
  let last: Delivery[] = [];
  return await eventually(
    async () => {
      const answer = await fetch(`${executionUrl}deliveries/`);
      last = ((await answer.json()) as { items: Delivery[] }).items;
      const isSettled = last.length > 0 && last.every(({ status }) => status !== "waiting");
      return isSettled ? last : undefined;
    },
    () => `the ledger is not settled: ${Bun.inspect(last)}`,
  );
}

test("who is to hear of it gets a mail with the end of the log and links", async () => {
  await using receiver = await startSmtpReceiver();
  await using app = await startTestApp({
    config: { ...QUICK, smtp: receiver.login(), publicUrl: PUBLIC_URL },
  });

  const job = await enqueue(app.url, "nightly", {
    command: WORDS,
    notify: { fails: ["ops@example.com", "dev@example.com"], succeeds: ["boss@example.com"] },
  });
  const executionUrl = job.executionUrl.replace(PUBLIC_URL, app.url);
  await untilEnded({ ...job, executionUrl });
  const mails = await receiver.waitFor(2);

  expect(mails.flatMap(({ to }) => to).sort()).toEqual(["dev@example.com", "ops@example.com"]);
  const [{ parsed } = { parsed: undefined }] = mails;
  expect(parsed?.subject).toContain("nightly");
  expect(parsed?.text).toContain("<b>last words</b>");
  expect(String(parsed?.html)).toContain("&lt;b&gt;last words");
  expect(parsed?.text).toContain(`${PUBLIC_URL}/tasks/nightly/jobs/${job.jobId}`);
  const ledger = await untilSettled({ executionUrl });
  expect(ledger).toMatchObject([
    { kind: "mail", status: "delivered", attempts: [{ ok: true, code: 250 }] },
    { kind: "mail", status: "delivered", attempts: [{ ok: true, code: 250 }] },
  ]);
});

test("a server that puts it off gets it later, and one that refuses an address is not asked again", async () => {
  const asked = new Map<string, number>();
  await using receiver = await startSmtpReceiver({
    answerTo(recipient) {
      const times = (asked.get(recipient) ?? 0) + 1;
      asked.set(recipient, times);
      if (recipient === "nobody@example.com") return "550 No such user";
      return times < 3 ? "451 Greylisted, come again" : null;
    },
  });
  await using app = await startTestApp({ config: { ...QUICK, smtp: receiver.login() } });

  const job = await enqueue(app.url, "nightly", {
    command: "true",
    notify: { finishes: ["ops@example.com", "nobody@example.com"] },
  });
  const ledger = await untilSettled(job);

  expect(ledger.map(({ target, status }) => [target, status])).toEqual([
    ["ops@example.com", "delivered"],
    ["nobody@example.com", "dead"],
  ]);
  expect(ledger.map(({ attempts }) => attempts.map(({ code }) => code))).toEqual([
    [451, 451, 250],
    [550],
  ]);
});

test("while the mail server is down nothing is lost, and it goes when that is back", async () => {
  await using receiver = await startSmtpReceiver();
  await using app = await startTestApp({ config: { ...QUICK, smtp: receiver.login() } });
  await receiver.goDown();
  const job = await enqueue(app.url, "nightly", {
    command: "true",
    notify: { finishes: ["ops@example.com"] },
  });
  await eventually(
    async () => {
      const { items } = (await (await fetch(`${job.executionUrl}deliveries/`)).json()) as {
        items: Delivery[];
      };
      return (items[0]?.attempts.length ?? 0) >= 2 ? true : undefined;
    },
    () => "it was not tried twice",
  );

  await receiver.comeUp();
  const ledger = await untilSettled(job);

  expect(ledger).toMatchObject([{ status: "delivered" }]);
  expect(receiver.mails.length).toBe(1);
});

test("without a mail server the job is taken, and the answer and the ledger say that no mail goes", async () => {
  await using app = await startTestApp();

  const job = await enqueue(app.url, "nightly", {
    command: "true",
    notify: { finishes: ["ops@example.com"] },
  });
  const ledger = await untilSettled(job);

  expect(job).toMatchObject({ notice: "No mail will go: smtpHost is not configured" });
  expect(ledger).toMatchObject([
    { status: "dead", attempts: [{ error: "No mail goes: smtpHost is not configured" }] },
  ]);
  expect((await untilEnded(job)).status).toBe("done");
});
