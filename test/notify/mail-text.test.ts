import { expect, test } from "bun:test";
import { type MailFacts, mailOf } from "../../src/notify/mail-text.ts";
import { sendMail } from "../../src/notify/smtp.ts";
import { startSmtpReceiver } from "../support/smtp-receiver.ts";

const NEVER = new AbortController().signal;

const facts = (more: Partial<MailFacts> = {}): MailFacts => ({
  event: "fails",
  taskId: "reports",
  jobId: "5a022c1e",
  executionId: "36e1b166",
  status: "failed",
  exitCode: 3,
  failureCause: "exit_code",
  message: null,
  image: "busybox",
  command: 'sh -c "exit 3"',
  startedAt: new Date("2026-11-24T15:00:00.000Z"),
  finishedAt: new Date("2026-11-24T16:02:03.900Z"),
  logEnd: "out\nerr\n",
  logTruncated: false,
  jobUrl: "http://fastlane.example/tasks/reports/jobs/5a022c1e",
  executionUrl: "http://fastlane.example/tasks/reports/jobs/5a022c1e/executions/36e1b166",
  streamUrl: "http://fastlane.example/tasks/reports/jobs/5a022c1e/stream",
  ...more,
});

test.each([
  ["starts", "started"],
  ["succeeds", "succeeded!"],
  ["fails", "failed!"],
  ["finishes", "finished!"],
] as const)(
  "the subject of %s is the one that the original's users have rules for",
  (event, done) => {
    expect(mailOf(facts({ event })).subject).toBe(`[Fastlane] Job reports/5a022c1e ${done}`);
  },
);

test("the text tells what ran, how it ended, what it printed and where there is more", () => {
  const { text } = mailOf(facts());

  expect(text).toBe(`Job failed!
reports/5a022c1e

Status:    failed
Exit code: 3
Duration:  1 h 2 min 3 s
Started:   2026-11-24 15:00:00 UTC
Finished:  2026-11-24 16:02:03 UTC
Image:     busybox
Command:   sh -c "exit 3"
Task:      reports
Job:       5a022c1e
Execution: 36e1b166

Log:       http://fastlane.example/tasks/reports/jobs/5a022c1e/stream
Job:       http://fastlane.example/tasks/reports/jobs/5a022c1e
Execution: http://fastlane.example/tasks/reports/jobs/5a022c1e/executions/36e1b166

Its log:

out
err

-- 
Automatic message by fastlane. Please do not reply to this!
`);
});

test("the page tells the same, and links to the same places", () => {
  const { html } = mailOf(facts({ failureCause: "oom_killed", message: "Killed" }));

  const texts = ["Job failed!", "reports/5a022c1e", "oom killed", "Killed", "1 h 2 min 3 s"];
  for (const text of [...texts, ">out\nerr<"]) expect(html).toContain(text);
  const { jobUrl, executionUrl, streamUrl } = facts();
  for (const url of [jobUrl, executionUrl, streamUrl]) expect(html).toContain(`href="${url}"`);
});

test("a page asks for nothing from elsewhere and runs nothing", () => {
  const { html } = mailOf(facts());

  expect(html).not.toMatch(/<(script|img|link|iframe|object|embed|form|base)\b/i);
  expect(html).not.toMatch(/\bsrc=|url\(|@import|\bon\w+=/i);
  expect(html).toContain("prefers-color-scheme: dark");
  expect(html).toContain('"Segoe UI"');
});

test("what has only started has no log and no end to tell", () => {
  const started = { exitCode: null, failureCause: null, finishedAt: null, logEnd: "" };

  const { text, html } = mailOf(facts({ event: "starts", status: "running", ...started }));

  for (const part of [text, html]) {
    for (const word of ["Exit code", "Duration", "Finished", "Its log", "printed nothing"])
      expect(part).not.toContain(word);
  }
});

test("what never ran says why, and that alone", () => {
  const never = { startedAt: null, finishedAt: null, exitCode: null, logEnd: "" };
  const expired = { status: "expired", failureCause: "expired", message: "It was too late" };

  const { text } = mailOf(facts({ event: "finishes", ...never, ...expired }));

  expect(text).toContain("Status:    expired\nMessage:   It was too late\nImage:");
  expect(text).not.toContain("printed nothing");
});

test("what printed nothing says so", () => {
  expect(mailOf(facts({ logEnd: "\n" })).text).toContain("\n\nIt printed nothing\n\n");
});

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1_000, "1.0 s"],
  [59_999, "59.9 s"],
  [60_000, "1 min 0 s"],
  [90_061_000, "25 h 1 min 1 s"],
  [-5, "0 ms"],
])("%d ms are told as %s", (ms, told) => {
  const startedAt = new Date(0);

  const { text } = mailOf(facts({ startedAt, finishedAt: new Date(ms) }));

  expect(text).toContain(`Duration:  ${told}\n`);
});

test("of a long log the last 10 KiB are shown, whole lines of it", () => {
  const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i} ä`);

  const { text } = mailOf(facts({ logEnd: lines.join("\n") }));

  const shown = logIn(text);
  expect(text).toContain("The end of its log:");
  expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(10_240);
  expect(Buffer.byteLength(shown)).toBeGreaterThan(10_000);
  expect(lines.join("\n")).toEndWith(`\n${shown}`);
});

test("a long line is cut between two characters", () => {
  const { text } = mailOf(facts({ logEnd: `${"ä".repeat(9_000)}x\nend` }));

  expect(logIn(text)).toMatch(/^ä+x\nend$/u);
  expect(Buffer.byteLength(logIn(text))).toBeGreaterThan(10_000);
});

test("a log that was cut before says that this is its end", () => {
  expect(mailOf(facts({ logTruncated: true })).text).toContain("The end of its log:\n\nout");
});

test.each([
  ["\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07", "red link"],
  [
    "nul \0, bell \x07, back \b, delete \x7f, c1 \x85",
    "nul ␀, bell ␇, back ␈, delete ␡, c1 <U+0085>",
  ],
  ["a\r\nb\tc\r10%\r20%", "a\nb\tc␍10%␍20%"],
  ["if (admin\u202e\u2066) {", "if (admin<U+202E><U+2066>) {"],
  ["one\u2028two \ufeff", "one<U+2028>two <U+FEFF>"],
  ["half \ud83d", "half \ufffd"],
])("the log %j is shown as %j", (logEnd, shown) => {
  expect(logIn(mailOf(facts({ logEnd })).text)).toBe(shown);
});

test.each([
  ["tags", "<script>alert(1)</script>\n</pre><img src=x onerror=alert(1)> &lt; \"' &amp;"],
  ["the end of a mail", "one\r\n.\r\nMAIL FROM:<eve@example.com>\r\nRCPT TO:<eve@example.com>"],
  ["dots", ".\n..\n...\n.end"],
  ["headers and parts", "\n\nSubject: x\n\n--\n----_NmP-1-Part_1\nContent-Type: text/html\n\n<b>"],
  ["lines that mailboxes change", "From eve\n>From eve\n-- \ntrailing \t\n=3D =\n a"],
  ["other scripts", "ünïcödé 日本語 🚀 עברית"],
  ["a very long line", `${"long ".repeat(2_000)}.`],
])("a log of %s arrives as it was, as text in both parts", async (_, logEnd) => {
  await using receiver = await startSmtpReceiver();
  const more = { logEnd, taskId: "<b>&\"'", command: logEnd, message: logEnd, image: logEnd };

  const mail = { id: "1", to: "bob@example.com", ...mailOf(facts(more)) };
  const answer = await sendMail(receiver.login(), mail, NEVER);

  expect(answer.ok).toBe(true);
  expect(receiver.mails).toHaveLength(1);
  const [{ parsed, raw, to } = expect.unreachable()] = receiver.mails;
  expect(to).toEqual(["bob@example.com"]);
  expect(parsed.attachments).toEqual([]);
  expect(parsed.subject).toBe(`[Fastlane] Job <b>&"'/5a022c1e failed!`);
  const expected = logEnd.replaceAll("\r\n", "\n").replace(/\n+$/, "");
  expect(logIn(parsed.text ?? "")).toBe(expected);
  const { pre, tags } = await readPage(parsed.html || "");
  expect(pre).toBe(expected);
  expect(tags).not.toContain("script");
  expect(tags).not.toContain("img");
  expect(tags).not.toContain("b");
  for (const line of raw.split("\r\n")) expect(line.length).toBeLessThanOrEqual(998);
  expect(raw.replaceAll("\r\n", "")).not.toMatch(/[\r\n\0]/);
});

/** What stands between the heading of the log and the closing. */
function logIn(text: string): string {
  const [, log = ""] = /log:\n\n(.*)\n\n-- \n[^\n]*\n$/s.exec(text) ?? [];
  return log;
}

/** By a parser of HTML as a mail program has one: the log, and the names of all elements. */
async function readPage(html: string): Promise<{ pre: string; tags: string[] }> {
  const tags: string[] = [];
  const pre: string[] = [];
  const rewriter = new HTMLRewriter()
    .on("*", { element: ({ tagName }) => void tags.push(tagName) })
    .on("pre", { text: ({ text }) => void pre.push(text) });
  await rewriter.transform(new Response(html)).text();
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  const text = pre.join("").replace(/&(lt|gt|quot|#39|amp);/g, (_, name) => entities[name] ?? "");
  return { pre: text, tags };
}
