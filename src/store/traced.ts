import { eq } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { Db } from "./connect.ts";
import { type ExecutionRow, executions, jobs } from "./schema.ts";

export interface Traced {
  execution: ExecutionRow;
  /** Of the request that made its job. */
  jobTraceparent: string | null;
  /** Of the execution that it retries. */
  retriedTraceparent: string | null;
}

/** An execution with what else its trace refers to; `null` when it is not kept any more. */
export async function findTraced(db: Db, executionId: string): Promise<Traced | null> {
  const retried = alias(executions, "retried");
  const [row] = await db
    .select({
      execution: executions,
      jobTraceparent: jobs.traceparent,
      retriedTraceparent: retried.traceparent,
    })
    .from(executions)
    .innerJoin(jobs, eq(jobs.id, executions.jobId))
    .leftJoin(retried, eq(retried.id, executions.retryOf))
    .where(eq(executions.id, executionId));
  return row ?? null;
}
