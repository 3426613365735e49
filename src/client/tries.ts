import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import { type Client, read } from "./client.ts";
import { ClientError } from "./client-error.ts";

const Job = v.looseObject({
  job: v.looseObject({
    nextScheduledAt: v.nullable(v.string()),
    executions: v.array(
      v.looseObject({
        executionId: v.string(),
        metadata: v.looseObject({ retry: v.number(), retryOf: v.nullable(v.string()) }),
      }),
    ),
    ticks: v.array(v.looseObject({ outcome: v.string(), reason: v.string() })),
  }),
});

/** What `run` needs to know of a job between its executions. */
interface JobLook {
  /** When it runs next by itself, in ISO 8601. */
  nextAt: string | null;
  /** The id of its newest execution. */
  newest: string | null;
  /** Why it never will have one, where a tick was decided so. */
  notRun: string | null;
  /** The retry of an execution, and which try that is, counted from 1. */
  retryOf(executionId: string): { executionId: string; attempt: number } | null;
}

const LONGEST_WAIT_MS = 30_000;
const PAUSE_MS = { least: 250, most: 5_000 };

/** @param path Of the job, with a slash at its end. A server that is away is waited for. */
export async function lookAtJob(
  client: Client,
  path: string,
  signal: AbortSignal,
): Promise<JobLook> {
  const answer = await patiently(() => client.get(path), signal);
  const { nextScheduledAt, executions, ticks } = read(client, Job, answer).job;
  const [tick] = ticks;
  const isNotRun = tick !== undefined && ["skipped", "missed"].includes(tick.outcome);
  return {
    nextAt: nextScheduledAt,
    newest: executions[0]?.executionId ?? null,
    notRun: isNotRun ? tick.reason : null,
    retryOf(executionId) {
      const next = executions.find(({ metadata }) => metadata.retryOf === executionId);
      if (next === undefined) return null;
      return { executionId: next.executionId, attempt: next.metadata.retry + 1 };
    },
  };
}

/** Waits for the one execution of a job that runs later, or tells why it never will. */
export async function untilExecution(
  client: Client,
  path: string,
  signal: AbortSignal,
): Promise<{ executionId: string } | { notRun: string }> {
  for (let isOver = false; ; ) {
    const { newest, nextAt, notRun } = await lookAtJob(client, path, signal);
    if (newest !== null) return { executionId: newest };
    if (nextAt === null) {
      // The parts of an answer are read one after the other: what began in between is in the next.
      if (isOver) return { notRun: notRun ?? "its schedule was stopped" };
      isOver = true;
      continue;
    }
    // Half of what is left, since the clocks here and there differ, and the time may be changed.
    const half = (Date.parse(nextAt) - Date.now()) / 2;
    const pauseMs = Math.min(LONGEST_WAIT_MS, Math.max(PAUSE_MS.least, half));
    await delay(pauseMs, undefined, { signal });
  }
}

/** Does it again until the server is there to do it, unless it would not go well then either. */
export async function patiently<Result>(
  ask: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  for (let pauseMs = PAUSE_MS.least; ; pauseMs = Math.min(PAUSE_MS.most, pauseMs * 2)) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ClientError) || !error.isPassing) throw error;
      await delay(pauseMs, undefined, { signal });
    }
  }
}
