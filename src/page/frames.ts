import type { LogState } from "../core/log-state.ts";
import type { LogStream } from "../core/log-streams.ts";
import type { FailureCause, Status } from "../core/status.ts";

/** Something that was written: mostly a line with its end. */
export interface LogFrame {
  /** Ascends within an execution; a connection goes on behind the last one. */
  seq: number;
  stream: LogStream;
  /** ISO 8601. */
  at: string;
  data: string;
}

/** What was left out of a log that is too long. */
export interface GapFrame {
  seq: number;
  gap: { lines?: number; frames?: number; bytes?: number };
}

/** How the execution is; comes first, and at every change. */
interface StatusFrame {
  status: ExecutionStatus;
}

export interface ExecutionStatus {
  executionId: string;
  status: Status;
  exitCode: number | null;
  failureCause: FailureCause | null;
  message: string | null;
  /** Times as ISO 8601. */
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  /** Whether all that was written is there, and whether it was kept for long enough to be. */
  logState?: LogState | null;
  logDropped?: true;
  logBytes?: number | null;
  logLines?: number | null;
}

export type Frame = LogFrame | GapFrame | StatusFrame;

const OPEN: readonly Status[] = ["enqueued", "pulling", "running"];

export const hasEnded = ({ status }: Pick<ExecutionStatus, "status">) => !OPEN.includes(status);
