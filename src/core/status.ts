/**
 * The states of an execution, in the order in which it can pass through them.
 *
 *     enqueued -> pulling -> running -> done | failed | timedout | stopped
 *     enqueued -> expired | stopped          pulling -> failed | stopped
 *
 * A fault that is not the job's takes `pulling` back to `enqueued`.
 */
export const STATUSES = [
  "enqueued",
  "pulling",
  "running",
  "done",
  "failed",
  "timedout",
  "stopped",
  "expired",
] as const;
export type Status = (typeof STATUSES)[number];
type FinalStatus = Exclude<Status, "enqueued" | "pulling" | "running">;

/** Why an execution that ended did not end as `done`. */
export const FAILURE_CAUSES = [
  "exit_code",
  "oom_killed",
  "timeout",
  "stopped",
  "expired",
  "image_not_found",
  "pull_denied",
  "pull_failed",
  "create_failed",
  "host_lost",
] as const;
export type FailureCause = (typeof FAILURE_CAUSES)[number];

/** How an execution ended, as it is written to its row. */
export interface End {
  status: FinalStatus;
  failureCause: FailureCause | null;
  /** `null` where no process ended. */
  exitCode: number | null;
  /** The service's or Docker's own words; what the container printed is in the log. */
  message: string | null;
  /** Docker's times of the process, where there was one. */
  startedAt: Date | null;
  finishedAt: Date | null;
  /** Whether parts of its log may be missing that nobody could read. */
  logHasGap: boolean;
}
