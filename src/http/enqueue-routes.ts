import { Hono } from "hono";
import { AppError, type ErrorCode, type Issue } from "../core/errors.ts";
import type { JobPayload } from "../payload/job-payload.ts";
import { parseBulkPayload, parseJobPayload, sentence } from "../payload/parse.ts";
import type { Enqueued } from "../services/enqueue-jobs.ts";
import { enqueueOnce, type KeyedPlan, putJobOnce } from "../services/enqueue-once.ts";
import { executionView } from "../services/execution-view.ts";
import { planJob } from "../services/job-plan.ts";
import { untilEnded } from "../stream/until-ended.ts";
import { actBy } from "./act-by.ts";
import { bodyText } from "./body.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { newJobIdOf, operation, taskIdOf } from "./params.ts";
import { wholeNumberOf } from "./query.ts";
import { allowanceOf } from "./session.ts";
import { tellEnqueued } from "./tell-enqueued.ts";
import { traceEnqueued, traceOriginOf } from "./tracing.ts";
import { requestIp, type Urls, urlsOf } from "./urls.ts";

const LONGEST_WAIT_SECONDS = 60;
const MAX_KEY = 200;

/** The routes that make jobs. */
export function enqueueRoutes(deps: HttpDeps) {
  const { db, plan, enqueuer, traces } = deps;
  const keyedPlan = (c: HttpContext, payload: JobPayload, jobId: string, key: string | null) => ({
    plan: planJob(
      plan,
      {
        taskId: taskIdOf(c),
        payload,
        requestIp: requestIp(deps, c),
        by: actBy(deps, c),
        trace: traceOriginOf(traces, c),
      },
      jobId,
    ),
    // Where the key stood, in the body or in the header, makes no other request.
    payload: { ...payload, idempotencyKey: undefined },
    key,
  });
  const enqueueOne = async (request: KeyedPlan): Promise<Enqueued> => {
    if (request.key === null) return await enqueuer.enqueue(request.plan);
    const made = await enqueueOnce(db, plan.secrets, [request]);
    deps.onEnqueued([request.plan.pool]);
    // One request gives one answer.
    return made[0] as Enqueued;
  };

  return new Hono<HttpEnv>()
    .post("/tasks/:taskId", operation("enqueueJob"), async (c) => {
      const seconds = wholeNumberOf(c, "wait", { min: 0, max: LONGEST_WAIT_SECONDS, absent: null });
      const taskId = taskIdOf(c);
      const payload = parseJobPayload(await bodyText(c));
      const key = keyOf(c, payload);
      const request = keyedPlan(c, payload, crypto.randomUUID(), key);
      const made = await enqueueOne(request);
      traceEnqueued(traces, c, request.plan, made);
      tellEnqueued(deps, c, taskId, [made]);
      const answer = { ...enqueuedView(made, taskId, urlsOf(deps, c)), ...noticeOf(deps, payload) };
      const execution =
        seconds === null ? undefined : await awaited(deps, c, made.executionId, seconds);
      return c.json({ ...answer, execution });
    })
    .post("/tasks/:taskId/bulk", operation("enqueueJobs"), async (c) => {
      const taskId = taskIdOf(c);
      refuseHeaderKey(c);
      const payloads = parseBulkPayload(await bodyText(c));
      const requests = planAll(payloads, (payload) =>
        keyedPlan(c, payload, crypto.randomUUID(), payload.idempotencyKey ?? null),
      );
      const made = await enqueueOnce(db, plan.secrets, requests);
      deps.onEnqueued([...new Set(made.map(({ pool }) => pool))]);
      for (const [index, { plan }] of requests.entries()) {
        const one = made[index];
        if (one !== undefined) traceEnqueued(traces, c, plan, one);
      }
      tellEnqueued(deps, c, taskId, made);
      const urls = urlsOf(deps, c);
      return c.json(
        made.map((one, index) => ({
          ...enqueuedView(one, taskId, urls),
          ...noticeOf(deps, payloads[index]),
        })),
      );
    })
    .put("/tasks/:taskId/jobs/:jobId", operation("putJob"), async (c) => {
      const taskId = taskIdOf(c);
      const jobId = newJobIdOf(c);
      const payload = parseJobPayload(await bodyText(c));
      const request = keyedPlan(c, payload, jobId, keyOf(c, payload));
      const made = await putJobOnce(db, plan.secrets, request);
      deps.onEnqueued([made.pool]);
      traceEnqueued(traces, c, request.plan, made);
      tellEnqueued(deps, c, taskId, [made]);
      return c.json({ ...enqueuedView(made, taskId, urlsOf(deps, c)), ...noticeOf(deps, payload) });
    });
}

/** Who asks for mail where none can go is told so at once, and the job is taken all the same. */
function noticeOf({ hasMail }: HttpDeps, payload: JobPayload | undefined): { notice?: string } {
  const asks = Object.values(payload?.notify ?? {}).some((list) => (list?.length ?? 0) > 0);
  return asks && !hasMail ? { notice: "No mail will go: smtpHost is not configured" } : {};
}

/** All plans, or all that is wrong or not allowed in them, each with its payload's index. */
function planAll<Plan>(
  payloads: readonly JobPayload[],
  planOf: (payload: JobPayload) => Plan,
): Plan[] {
  const issues: Issue[] = [];
  let code: ErrorCode = "payload_not_allowed";
  const plans = payloads.flatMap((payload, index) => {
    try {
      return [planOf(payload)];
    } catch (error) {
      if (!(error instanceof AppError) || error.issues === undefined) throw error;
      if (error.code === "payload_invalid") code = error.code;
      issues.push(...error.issues.map((issue) => ({ ...issue, path: `${index}.${issue.path}` })));
      return [];
    }
  });
  if (issues.length === 0) return plans;
  throw new AppError(code, sentence("Cannot enqueue", issues), { issues });
}

function refuseHeaderKey(c: HttpContext): void {
  if (c.req.header("idempotency-key") === undefined) return;
  throw new AppError(
    "query_invalid",
    "Idempotency-Key is for one job: give each payload of a list an idempotencyKey of its own",
  );
}

/** The answer to whatever makes an execution or a schedule. */
export function enqueuedView(made: Enqueued, taskId: string, urls: Urls) {
  const { jobId, executionId } = made;
  return {
    executionId,
    executionUrl: executionId === null ? null : urls.execution(taskId, jobId, executionId),
    jobId,
    jobUrl: urls.job(taskId, jobId),
    queueJobId: String(made.messageId),
    taskId,
    taskUrl: urls.task(taskId),
  };
}

/** The execution when it has ended, or as it is when the time is over. */
async function awaited(
  deps: HttpDeps,
  c: HttpContext,
  executionId: string | null,
  seconds: number,
) {
  if (executionId === null) return null;
  const signal = AbortSignal.any([
    AbortSignal.timeout(seconds * 1_000),
    deps.stopping,
    c.req.raw.signal,
  ]);
  using allowance = allowanceOf(c.get("session"), signal);
  const row = await untilEnded(deps, executionId, allowance.until);
  return row === null ? null : await executionView(deps.db, row);
}

function keyOf(c: HttpContext, { idempotencyKey }: JobPayload): string | null {
  const header = c.req.header("idempotency-key");
  if (header === undefined) return idempotencyKey ?? null;
  if (header.length < 1 || header.length > MAX_KEY) {
    throw new AppError("query_invalid", `Idempotency-Key must have 1 to ${MAX_KEY} characters`);
  }
  if (idempotencyKey !== undefined && idempotencyKey !== header) {
    throw new AppError("query_invalid", "Idempotency-Key and idempotencyKey must be the same");
  }
  return header;
}
