import type { Execution } from "../payload/execution-answers.ts";
import type { Db } from "../store/connect.ts";
import { findExecutionById } from "../store/executions.ts";
import { findJob } from "../store/jobs.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { executionView } from "./execution-view.ts";

/** What the world is told of an execution. */
export interface ExecutionFacts {
  taskId: string;
  jobId: string;
  execution: Execution;
  /** The `metadata` of the job's payload. */
  custom: Record<string, unknown>;
  trace: Pick<ExecutionRow, "id" | "traceparent" | "tracestate">;
}

export async function executionFacts(db: Db, executionId: string): Promise<ExecutionFacts | null> {
  const row = await findExecutionById(db, executionId);
  if (row === null) return null;
  const { taskId, jobId } = row;
  const [job, execution] = await Promise.all([findJob(db, taskId, jobId), executionView(db, row)]);
  return { taskId, jobId, execution, custom: job?.custom ?? {}, trace: row };
}
