import { setTimeout as delay } from "node:timers/promises";
import { type Enqueued, eventually } from "./client.ts";
import { type Frame, openSocket, socketUrl } from "./log-socket.ts";

/** So often the same is asked again before it counts as failed. */
const TRIES = 10;
const PAUSE_MS = 50;

/** A client that follows the rule of docs/operations.md, and counts what it had to do for it. */
export interface RollingClient {
  /** Makes a job, under a key, so that a POST whose connection broke can be repeated. */
  enqueue(task: string, payload: Record<string, unknown>, query?: string): Promise<Enqueued>;
  get<Answer>(url: string): Promise<Answer>;
  /** Follows a log from its first byte to its end, over as many sockets as that takes. */
  follow(made: Enqueued): Promise<Followed>;
  /** Connections that broke before there was an answer, by the error's code. */
  broken: string[];
}

interface Followed {
  frames: Frame[];
  /** How each socket was closed. */
  closes: string[];
}

/** Where Postgres does not answer in time, and at the very end of a node. */
const ASK_AGAIN = 503;

export function rollingClient(url: string): RollingClient {
  const broken: string[] = [];
  const ask = async <Answer>(to: string, request: RequestInit): Promise<Answer> => {
    for (let tries = 1; ; tries++) {
      const response = await fetch(to, request).catch((error: unknown) => {
        broken.push(error instanceof Error && "code" in error ? String(error.code) : String(error));
        return null;
      });
      if (response !== null && response.status !== ASK_AGAIN) {
        if (response.ok) return (await response.json()) as Answer;
        throw new Error(`${to} answered ${response.status}: ${await response.text()}`);
      }
      if (tries === TRIES) throw new Error(`${to} was not answered ${tries} times`);
      await delay(PAUSE_MS);
    }
  };
  return {
    broken,
    get: (to) => ask(to, {}),
    enqueue: (task, payload, query = "") =>
      ask(`${url}/tasks/${task}/${query}`, {
        method: "POST",
        headers: { "idempotency-key": crypto.randomUUID() },
        body: JSON.stringify({ image: "busybox", pullPolicy: "missing", ...payload }),
      }),
    async follow({ executionUrl }) {
      const frames: Frame[] = [];
      const closes: string[] = [];
      while (closes.at(-1) !== "1000 done") {
        const after = frames.at(-1)?.seq ?? 0;
        using socket = openSocket(socketUrl(executionUrl, `?format=json&after=${after}`));
        closes.push((await socket.closed).join(" "));
        frames.push(...socket.messages.map((message) => JSON.parse(message) as Frame));
        if (closes.length > TRIES) throw new Error(`Closed again and again: ${closes.join(", ")}`);
      }
      return { frames, closes };
    },
  };
}

interface Told {
  time: string;
  execution?: string;
}

const linesOf = (log: string, message: string) =>
  log
    .split("\n")
    .filter((line) => line.includes(`"msg":"${message}"`))
    .map((line) => JSON.parse(line) as Told);

/** Moments of a node's log at which something was told, by the clock. */
export const momentsOf = (log: string, message: string): number[] =>
  linesOf(log, message).map(({ time }) => Date.parse(time));

/** Of which executions it was told. */
export const executionsOf = (log: string, message: string): string[] =>
  linesOf(log, message).flatMap(({ execution }) => execution ?? []);

export async function untilSaid(log: () => string, message: string): Promise<void> {
  await eventually(
    () => (momentsOf(log(), message).length > 0 ? true : undefined),
    () => `"${message}" was not said: ${log()}`,
  );
}
