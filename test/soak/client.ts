import { setTimeout as delay } from "node:timers/promises";
import type { Enqueued } from "../support/client.ts";
import type { Job } from "./load.ts";
import { payloadOf } from "./work.ts";

const ANSWER_WITHIN_MS = 5_000;
const REPEAT_AFTER_MS = 500;
/** So long a request is repeated that may be. */
const REPEAT_FOR_MS = 120_000;

/** A job as its client knows it. */
export interface Sent {
  job: Job;
  /** `indeterminate`: it may have been made or not. */
  outcome: "acknowledged" | "indeterminate" | "not sent";
  /** One for each payload; of a job that is sent twice one for each answer. */
  answers: Enqueued[];
  /** When the first stop was acknowledged. */
  stoppedAt: number | null;
}

interface Answer {
  status: number;
  text: string;
}

/** Asks the nodes in turn, and keeps what they must not answer. */
export interface Client {
  /** Sends a job when its time has come, and stops it when that is asked for. */
  send(job: Job, beganAt: number): Promise<Sent>;
  /** Repeats until a node gives the answer. */
  get(path: string): Promise<Answer>;
  /** Answers that no fault explains. */
  wrongAnswers: string[];
}

export function createClient(urls: readonly string[]): Client {
  const wrongAnswers: string[] = [];
  let turn = 0;
  const nextUrl = () => urls[turn++ % urls.length] ?? "";

  /** @returns The answer; "refused" when nobody took it; "unknown" when it may have been done. */
  const ask = async (url: string, path: string, init: RequestInit) => {
    try {
      // Bun repeats a request by itself whose kept connection has gone.
      const response = await fetch(url + path, {
        ...init,
        keepalive: false,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const text = await response.text();
      if (response.status === 503) return "unknown";
      if (response.status >= 400) {
        wrongAnswers.push(`${init.method ?? "GET"} ${path}: ${response.status} ${text}`);
      }
      return { status: response.status, text };
    } catch (error) {
      return isRefused(error) ? "refused" : "unknown";
    }
  };
  const repeat = async (path: string, init: RequestInit, url = nextUrl): Promise<Answer | null> => {
    const deadline = performance.now() + REPEAT_FOR_MS;
    for (;;) {
      const answer = await ask(url(), path, init);
      if (typeof answer === "object" && answer.status < 500) return answer;
      if (performance.now() > deadline) return null;
      await delay(REPEAT_AFTER_MS);
    }
  };
  const sendOnce = async (path: string, init: RequestInit) => {
    const deadline = performance.now() + REPEAT_FOR_MS;
    for (;;) {
      const answer = await ask(nextUrl(), path, init);
      if (answer !== "refused" || performance.now() > deadline) return answer;
      await delay(REPEAT_AFTER_MS);
    }
  };
  const stop = async ({ job, answers: [answer] }: Sent) => {
    if (answer === undefined || job.stopAfterMs === null) return null;
    await delay(job.stopAfterMs);
    const path = pathOf(job.cron ? answer.jobUrl : answer.executionUrl);
    const stopped = await repeat(`${path}/stop/`, { method: "POST" });
    return stopped === null ? null : Date.now();
  };

  return {
    wrongAnswers,
    async send(job, beganAt) {
      await delay(Math.max(0, beganAt + job.atMs - Date.now()));
      const isBulk = job.count > 1;
      const payload = { ...payloadOf(job.work, job.task), ...job.keys };
      const body = JSON.stringify(isBulk ? Array(job.count).fill(payload) : payload);
      const path = `/tasks/${job.task}/${isBulk ? "bulk/" : ""}`;
      const sent: Sent = { job, outcome: "indeterminate", answers: [], stoppedAt: null };
      // What nobody might ever stop must be known of.
      if (job.isSentTwice || job.stopAfterMs !== null) {
        const headers = { "idempotency-key": job.task };
        const init = { method: "POST", body, headers };
        const ways = job.isSentTwice ? urls.map((url) => () => url) : [nextUrl];
        const answers = await Promise.all(ways.map((url) => repeat(path, init, url)));
        sent.answers = answers.flatMap((answer) => (answer === null ? [] : enqueuedOf(answer)));
        if (sent.answers.length > 0) sent.outcome = "acknowledged";
        sent.stoppedAt = await stop(sent);
        return sent;
      }
      const answer = await sendOnce(path, { method: "POST", body });
      if (answer === "refused") sent.outcome = "not sent";
      if (typeof answer === "string") return sent;
      sent.answers = enqueuedOf(answer);
      if (sent.answers.length > 0) sent.outcome = "acknowledged";
      return sent;
    },
    async get(path) {
      const answer = await repeat(path, {});
      if (answer === null) throw new Error(`No node answers GET ${path}`);
      return answer;
    },
  };
}

/** The part of a URL that every node knows. */
export function pathOf(url: string): string {
  return new URL(url).pathname.replace(/\/$/, "");
}

function enqueuedOf({ status, text }: Answer): Enqueued[] {
  if (status >= 300) return [];
  const answer: Enqueued | Enqueued[] = JSON.parse(text);
  return Array.isArray(answer) ? answer : [answer];
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ConnectionRefused";
}
