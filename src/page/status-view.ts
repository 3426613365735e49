import { type About, subjectPath } from "./about.ts";
import { byId, tell, wordsOf } from "./elements.ts";
import { type ExecutionStatus, hasEnded } from "./frames.ts";
import { dayAndTime, durationInWords } from "./times.ts";

const BAD = ["failed", "timedout"];
const WHY_AFTER_MS = 1_000;

/** Shows how the execution is, and why. */
export class StatusView {
  readonly #about: About;
  #status: ExecutionStatus | null = null;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #whyTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(about: About) {
    this.#about = about;
    this.#askWhy("waiting");
  }

  get current(): ExecutionStatus | null {
    return this.#status;
  }

  show(status: ExecutionStatus): void {
    const isOther = this.#status?.status !== status.status;
    this.#status = status;
    const name = status.status;
    const badge = byId("status", HTMLElement);
    badge.dataset["status"] = name;
    wordsOf(badge).textContent = name;
    badge.querySelector("use")?.setAttribute("href", `#icon-${name}`);
    document.title = `${this.#about.taskId} - ${name} - fastlane`;
    this.#fact("exit-code", status.exitCode === null ? null : String(status.exitCode));
    this.#showTimes(status);
    if (!isOther) return;
    const code = status.exitCode === null ? "" : `, exit code ${status.exitCode}`;
    tell(`${this.#about.taskId} is ${name}${code}`);
    this.#showReason(status);
  }

  #showTimes(status: ExecutionStatus): void {
    const { startedAt } = status;
    this.#fact("started", startedAt === null ? null : dayAndTime(Date.parse(startedAt)));
    const time = byId("started", HTMLTimeElement);
    time.dateTime = startedAt ?? "";
    time.title = startedAt ?? "";
    clearInterval(this.#ticking);
    this.#tick(status);
    if (!hasEnded(status)) this.#ticking = setInterval(() => this.#tick(status), 1_000);
  }

  /** For how long it has run, or has waited. */
  #tick({ status, createdAt, startedAt, finishedAt }: ExecutionStatus): void {
    const begin = startedAt ?? (finishedAt === null ? createdAt : null);
    const now = Date.now() - this.#about.clockAheadMs;
    const end = finishedAt === null ? now : Date.parse(finishedAt);
    const ms = begin === null ? null : end - Date.parse(begin);
    const isBrief = finishedAt === null && ms !== null;
    const wholeMs = isBrief ? Math.floor(ms / 1000) * 1000 : ms;
    const words = wholeMs === null ? null : durationInWords(wholeMs);
    this.#fact("duration", words?.replace(/\.0 s$/, " s") ?? null);
    const name = startedAt === null ? "waits for" : finishedAt === null ? "for" : "ran for";
    byId("duration-name", HTMLElement).textContent = status === "pulling" ? "for" : name;
  }

  #fact(id: string, value: string | null): void {
    const place = byId(id, HTMLElement);
    place.textContent = value ?? "";
    const row = place.closest("div");
    if (row !== null) row.hidden = value === null;
  }

  #showReason({ status, message }: ExecutionStatus): void {
    clearTimeout(this.#whyTimer);
    if (status === "enqueued" || BAD.includes(status)) this.#askWhy(status);
    this.#reason(message, BAD.includes(status));
  }

  /** Asks why it waits, again and again while it does, or how it ended. */
  #askWhy(status: string): void {
    const isWaiting = status === "enqueued" || status === "waiting";
    const ask = async () => {
      const answer = await fetch(`${subjectPath(this.#about)}/why/`).catch(() => null);
      const body: { summary?: unknown } = answer?.ok ? await answer.json() : {};
      if ((this.#status?.status ?? "waiting") !== status) return;
      if (typeof body.summary === "string") this.#reason(body.summary, !isWaiting);
      if (isWaiting) this.#whyTimer = setTimeout(ask, WHY_AFTER_MS * 5);
    };
    this.#whyTimer = setTimeout(ask, isWaiting ? WHY_AFTER_MS : 0);
  }

  #reason(text: string | null, isBad: boolean): void {
    const place = byId("reason", HTMLElement);
    place.textContent = text;
    place.hidden = text === null || text === "";
    place.dataset["tone"] = isBad ? "bad" : "";
  }
}
