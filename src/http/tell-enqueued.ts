import type { HttpContext, HttpDeps } from "./context.ts";

interface Made {
  /** `null` where a schedule will make it. */
  executionId: string | null;
  jobId: string;
  pool?: string;
  /** An earlier request made it, under the same idempotency key. */
  isRepeat?: true;
}

/** Begins the way of executions in the service's log, with the request that made them. */
export function tellEnqueued(
  { log }: Pick<HttpDeps, "log">,
  c: HttpContext,
  taskId: string,
  all: readonly Made[],
): void {
  const requestId = c.get("requestId");
  for (const { executionId, jobId, pool, isRepeat } of all) {
    if (isRepeat) continue;
    const job = { requestId, jobId, taskId, pool };
    if (executionId === null) log.info(job, "scheduled");
    else log.info({ ...job, executionId, origin: "request" }, "enqueued");
  }
}
