import { type MailView, mailHtml } from "./mail-html.ts";
import { endOfLog, visibleLine } from "./mail-log.ts";

/** What a mail tells of an execution. */
export interface MailFacts {
  event: "starts" | "succeeds" | "fails" | "finishes";
  taskId: string;
  jobId: string;
  executionId: string;
  status: string;
  exitCode: number | null;
  failureCause: string | null;
  message: string | null;
  image: string;
  command: string;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** The end of the log; its last 10 KiB are shown. */
  logEnd: string;
  /** Whether the log has more in front of that. */
  logTruncated: boolean;
  jobUrl: string;
  executionUrl: string;
  streamUrl: string;
}

/** As the original's users know them: rules of theirs sort mails by these. */
const DONE: Record<MailFacts["event"], string> = {
  starts: "started",
  succeeds: "succeeded!",
  fails: "failed!",
  finishes: "finished!",
};
const CLOSING = "Automatic message by fastlane. Please do not reply to this!";

/** Tells by mail of what became of an execution; nothing of it can be more than text. */
export function mailOf(facts: MailFacts): { subject: string; text: string; html: string } {
  const view = viewOf(facts);
  const subject = `[Fastlane] Job ${view.about} ${DONE[facts.event]}`;
  return { subject, text: plainText(view), html: mailHtml(view) };
}

function viewOf(facts: MailFacts): MailView {
  const { event, startedAt, finishedAt } = facts;
  return {
    title: `Job ${DONE[event]}`,
    about: `${visibleLine(facts.taskId, 200)}/${visibleLine(facts.jobId, 200)}`,
    tone: toneOf(facts),
    rows: [
      ["Status", visibleLine(facts.status)],
      ["Exit code", facts.exitCode === null ? "" : String(facts.exitCode)],
      ["Cause", causeOf(facts)],
      ["Message", visibleLine(facts.message ?? "")],
      ["Duration", durationOf(startedAt, finishedAt)],
      ["Started", timeOf(startedAt)],
      ["Finished", timeOf(finishedAt)],
      ["Image", visibleLine(facts.image)],
      ["Command", visibleLine(facts.command)],
      ["Task", visibleLine(facts.taskId)],
      ["Job", visibleLine(facts.jobId)],
      ["Execution", visibleLine(facts.executionId)],
    ].flatMap(([name = "", value = ""]) => (value === "" ? [] : [[name, value] as const])),
    links: [
      ["Log", facts.streamUrl],
      ["Job", facts.jobUrl],
      ["Execution", facts.executionUrl],
    ],
    log: event === "starts" || startedAt === null ? null : logOf(facts),
    closing: CLOSING,
  };
}

function toneOf({ event, status }: MailFacts): MailView["tone"] {
  if (event === "starts") return "neutral";
  return event === "succeeds" || status === "done" ? "good" : "bad";
}

/** Nothing where the status or the exit code says it already. */
function causeOf({ status, failureCause }: MailFacts): string {
  if (failureCause === status || failureCause === "exit_code") return "";
  return visibleLine(failureCause ?? "").replaceAll("_", " ");
}

function logOf({ logEnd, logTruncated }: MailFacts): { heading: string; text: string } {
  const { text, isWhole } = endOfLog(logEnd, logTruncated);
  if (text === "") return { heading: "It printed nothing", text };
  return { heading: isWhole ? "Its log" : "The end of its log", text };
}

function plainText({ title, about, rows, links, log, closing }: MailView): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const line = ([name, value]: readonly [string, string]) => `${`${name}:`.padEnd(width)}${value}`;
  const parts = [`${title}\n${about}`, rows.map(line).join("\n"), links.map(line).join("\n")];
  if (log !== null) parts.push(log.text === "" ? log.heading : `${log.heading}:\n\n${log.text}`);
  // A line of two dashes and a space begins what mail programs fold away.
  return `${parts.join("\n\n")}\n\n-- \n${closing}\n`;
}

function timeOf(at: Date | null): string {
  return at === null ? "" : `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function durationOf(startedAt: Date | null, finishedAt: Date | null): string {
  if (startedAt === null || finishedAt === null) return "";
  const ms = Math.max(0, finishedAt.getTime() - startedAt.getTime());
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return `${hours === 0 ? "" : `${hours} h `}${minutes} min ${seconds % 60} s`;
}
