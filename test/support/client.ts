import { setTimeout as delay } from "node:timers/promises";

export interface Enqueued {
  executionId: string;
  executionUrl: string;
  jobId: string;
  jobUrl: string;
  queueJobId: string;
  taskId: string;
  taskUrl: string;
}

export interface ExecutionJson {
  command: string;
  createdAt: string;
  error: string;
  executionId: string;
  exitCode: number | null;
  failureCause: string | null;
  finishedAt: string | null;
  image: string;
  log: string;
  logState: string | null;
  logBytes: number | null;
  logLines: number | null;
  logCut?: { after: number; to: number; bytes: number; lines: number };
  logDropped?: true;
  logTruncated?: true;
  metadata: {
    container_id: string | null;
    docker_host: string | null;
    docker_port: number | null;
    retry: number;
    retryOf: string | null;
    tickAt: string | null;
  };
  startedAt: string | null;
  status: string;
}

const FINAL = new Set(["done", "failed", "timedout", "stopped", "expired"]);

/** POSTs a job of busybox; keys given go over the defaults. */
export async function enqueue(
  url: string,
  task: string,
  payload: Record<string, unknown>,
): Promise<Enqueued> {
  const body = JSON.stringify({ image: "busybox", pullPolicy: "missing", ...payload });
  const response = await fetch(`${url}/tasks/${task}/`, { method: "POST", body });
  if (!response.ok) throw new Error(`POST answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Enqueued;
}

export async function getExecution({ executionUrl }: Enqueued): Promise<ExecutionJson> {
  const response = await fetch(executionUrl);
  if (!response.ok) throw new Error(`GET answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { execution: ExecutionJson }).execution;
}

export async function untilEnded(enqueued: Enqueued, withinMs?: number): Promise<ExecutionJson> {
  return await untilExecution(enqueued, ({ status }) => FINAL.has(status), withinMs);
}

/** Asks until the execution is as it should be; a server that is away is asked again. */
export async function untilExecution(
  enqueued: Enqueued,
  isAsWanted: (execution: ExecutionJson) => boolean,
  withinMs = 60_000,
): Promise<ExecutionJson> {
  let last: unknown = "nothing";
  return await eventually(
    async () => {
      last = await getExecution(enqueued).catch((error: unknown) => error);
      return last instanceof Error || !isAsWanted(last as ExecutionJson)
        ? undefined
        : (last as ExecutionJson);
    },
    () => `execution ${enqueued.executionId} is not as wanted: ${Bun.inspect(last)}`,
    withinMs,
  );
}

/** Asks every 20 ms until there is an answer. */
export async function eventually<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  complaint: () => string,
  withinMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`After ${withinMs} ms ${complaint()}`);
    await delay(20);
  }
}
