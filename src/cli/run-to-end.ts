import * as v from "valibot";
import { type Client, read } from "../client/client.ts";
import type { Enqueued } from "../client/enqueue.ts";
import type { State } from "../client/events.ts";
import { type JobName, pathOf } from "../client/names.ts";
import { lookAtJob, patiently, untilExecution } from "../client/tries.ts";
import { messageOf } from "../core/errors.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
import { type FollowDeps, followToEnd } from "./follow.ts";
import { type InterruptDeps, watchInterrupts } from "./interrupts.ts";
import { flushed } from "./log-output.ts";

export interface RunDeps extends Omit<FollowDeps, "signal" | "wantsMore"> {
  taskId: string;
  /** Whether the execution's answer goes to stdout at the end. */
  isJson: boolean;
  terminal: InterruptDeps["terminal"];
}

const Schedule = v.looseObject({
  next: v.array(v.looseObject({ at: v.string(), local: v.string() })),
});
const Why = v.looseObject({ summary: v.string() });

/**
 * Makes a job and follows it: its one execution, and the retries of it.
 *
 * @returns The code to end with.
 */
export async function runToEnd(deps: RunDeps, make: () => Promise<Enqueued>): Promise<number> {
  const { client, output, status, taskId } = deps;
  let target: JobName | null = null;
  let isEnded = false;
  let stopCode: number | null = null;
  const left = Promise.withResolvers<number>();
  const leaving = new AbortController();
  const stopTarget = async (): Promise<void> => {
    const path = target === null ? null : `${pathOf(target)}stop/`;
    if (path === null) return;
    await patiently(() => client.send("POST", path), leaving.signal);
  };
  const fail = (error: unknown): void => {
    if (!leaving.signal.aborted) left.reject(error);
  };
  using _ = watchInterrupts({
    terminal: deps.terminal,
    status,
    name: () => (target === null ? "it" : nameOf(target)),
    stop(code) {
      stopCode = code;
      stopTarget().catch(fail);
    },
    leave(code) {
      // A terminal that was hung up shows nothing any more.
      const told = code === 0 && target !== null ? leftRunning(target) : null;
      (told === null ? Promise.resolve() : output.say(told)).then(() => left.resolve(code), fail);
    },
  });
  /** What a stop goes to from now on; one that was asked for before goes to it at once. */
  const aimAt = async (name: JobName): Promise<void> => {
    target = name;
    isEnded = false;
    if (stopCode !== null) await stopTarget();
  };
  const followDeps: FollowDeps = {
    ...deps,
    signal: leaving.signal,
    // A Ctrl-C ends the reader, too: what is being stopped is seen to its end.
    wantsMore: () => !output.hasLostReader || stopCode !== null,
  };
  const story = async (): Promise<number> => {
    const made = await make();
    status.show(null);
    if (made.notice !== undefined) await output.say(`fastlane: ${safeLine(made.notice)}`);
    const job = { taskId, jobId: made.jobId, executionId: null };
    await aimAt({ ...job, executionId: made.executionId });
    const first = made.executionId ?? (await scheduled(deps, job, leaving.signal));
    if (first === null) return stopCode ?? EXIT_CODES.notRun;
    return await tries(first);
  };
  const tries = async (first: string): Promise<number> => {
    const job = { taskId, jobId: target?.jobId ?? "", executionId: null };
    for (let executionId = first; ; ) {
      const name = { ...job, executionId };
      await aimAt(name);
      const state = await followToEnd(followDeps, pathOf(name));
      if (state === null) {
        await output.say(leftRunning(name));
        return EXIT_CODES.readerGone;
      }
      isEnded = true;
      const mayRetry = state.status === "failed" || state.status === "timedout";
      const look = mayRetry ? await lookAtJob(client, pathOf(job), leaving.signal) : null;
      const next = look?.retryOf(executionId) ?? null;
      if (next === null) return await ended(deps, name, state, stopCode);
      await output.say(`fastlane: ${wordsOf(state)}; try ${next.attempt} begins`);
      executionId = next.executionId;
    }
  };
  try {
    const ending = story();
    ending.catch(() => {});
    return await Promise.race([ending, left.promise]);
  } catch (error) {
    status.ask(null);
    status.show(null);
    await output.say(`fastlane: ${safeLine(messageOf(error))}`);
    if (target !== null && !isEnded) await output.say(leftRunning(target));
    return EXIT_CODES.notRun;
  } finally {
    leaving.abort();
    status.ask(null);
    status.show(null);
    await output.end();
  }
}

/** Waits for what runs later. */
async function scheduled(deps: RunDeps, job: JobName, signal: AbortSignal): Promise<string | null> {
  const { client, output, status } = deps;
  const line = await scheduleLine(client, job);
  if (line !== null && deps.isTerminal) status.show(line);
  else if (line !== null) await output.say(`fastlane: ${line}`);
  const found = await untilExecution(client, pathOf(job), signal);
  status.show(null);
  if ("executionId" in found) return found.executionId;
  await output.say(`fastlane: it did not run: ${safeLine(found.notRun)}`);
  return null;
}

/** When a job runs next, as a sentence; `null` when it does not. */
export async function scheduleLine(client: Client, job: JobName): Promise<string | null> {
  const answer = await client.get(`${pathOf(job)}schedule/`, { count: 1 });
  const [next] = read(client, Schedule, answer).next;
  return next === undefined ? null : `it runs at ${safeLine(next.local)} (${safeLine(next.at)})`;
}

async function ended(
  { client, output, isJson }: RunDeps,
  name: JobName,
  state: State,
  stopCode: number | null,
): Promise<number> {
  const { signal } = new AbortController();
  if (state.status !== "done" && state.failureCause !== "exit_code") {
    const why = await patiently(() => client.get(`${pathOf(name)}why/`), signal);
    await output.say(`fastlane: ${safeLine(read(client, Why, why).summary)}`);
  }
  if (isJson) {
    const answer = await patiently(() => client.get(pathOf(name)), signal);
    await flushed(process.stdout, `${JSON.stringify(answer)}\n`);
  }
  return exitCodeOf(state, stopCode);
}

function wordsOf({ status, exitCode }: State): string {
  if (status === "timedout") return "it ran longer than its timeout";
  return exitCode === null ? "it failed" : `it ended with exit code ${exitCode}`;
}

function leftRunning({ taskId, jobId, executionId }: JobName): string {
  const words = [taskId, jobId, ...(executionId === null ? [] : [executionId])].join(" ");
  return `fastlane: it was left running: ${safeLine(words)} ("fastlane logs -f" follows it)`;
}

const nameOf = ({ executionId, jobId }: JobName) =>
  executionId === null ? `job ${jobId.slice(0, 8)}` : `execution ${executionId.slice(0, 8)}`;
