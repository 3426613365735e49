import type { End, FailureCause } from "./status.ts";

export interface ProcessExit {
  /** `null` when nobody knows it any more. */
  exitCode: number | null;
  oomKilled: boolean;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/**
 * What a process is left with when its engine goes down: 128 + SIGTERM, 128 + SIGKILL, and what an
 * engine writes that does not know how it ended.
 */
const KILLED_BY_ENGINE = new Set([143, 137, 255]);

/** What is known of a process beyond how it ended. */
export interface Circumstances {
  /**
   * Whether the engine went down while the process ran: it takes its containers with it, unless it
   * is told not to, and tells of it by nothing but their exit code. What they write while it is down
   * may be lost.
   */
  engineWasGone: boolean;
  /** Whether it was told to end since its host was to be empty by now. */
  isDrained: boolean;
  /** How long it was allowed to run. */
  timeoutSeconds: number;
}

/** How an execution ended whose process ended. */
export function endOfProcess(exit: ProcessExit, circumstances: Circumstances): End {
  const { engineWasGone, isDrained, timeoutSeconds } = circumstances;
  const { exitCode, finishedAt } = exit;
  const startedAt = earlier(exit.startedAt, finishedAt);
  const gap = engineWasGone
    ? "The host's Docker engine went down: parts of the log may be lost"
    : null;
  const base = { exitCode, message: gap, startedAt, finishedAt, logHasGap: engineWasGone };
  if (ranSeconds(exit) >= timeoutSeconds) {
    const stopped = `Stopped since it had run for ${timeoutSeconds} s, its timeout`;
    const message = gap === null ? stopped : `${stopped}. ${gap}`;
    return { ...base, status: "timedout", failureCause: "timeout", message };
  }
  if (exitCode === 0) return { ...base, status: "done", failureCause: null };
  if (exit.oomKilled) return { ...base, status: "failed", failureCause: "oom_killed" };
  if (engineWasGone && exitCode !== null && KILLED_BY_ENGINE.has(exitCode)) {
    const message = "The host's Docker engine went down and took the container with it";
    return { ...base, status: "failed", failureCause: "host_lost", message };
  }
  if (isDrained) {
    const message = "Stopped since its host was drained, and its time to finish was over";
    return { ...base, status: "failed", failureCause: "host_lost", message };
  }
  return { ...base, status: "failed", failureCause: "exit_code" };
}

/** How an execution failed of which no process ended. */
export function endWithoutProcess(failureCause: FailureCause, message: string): End {
  return {
    status: "failed",
    failureCause,
    exitCode: null,
    message,
    startedAt: null,
    finishedAt: null,
    logHasGap: failureCause === "host_lost",
  };
}

/** By the engine's own clock, so that it is the same for whoever looks, and whenever. */
function ranSeconds({ startedAt, finishedAt }: ProcessExit): number {
  if (startedAt === null || finishedAt === null) return 0;
  return (finishedAt.getTime() - startedAt.getTime()) / 1_000;
}

/** The engine notes a start when it is done with it: a process may have ended a moment before. */
function earlier(startedAt: Date | null, finishedAt: Date | null): Date | null {
  if (startedAt === null || finishedAt === null) return startedAt;
  return startedAt < finishedAt ? startedAt : finishedAt;
}
