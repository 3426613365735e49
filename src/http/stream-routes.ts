import { createHash } from "node:crypto";
import { Hono } from "hono";
import style from "../../build/page/stream.css" with { type: "text" };
import script from "../../build/page/stream.js" with { type: "text" };
import { lastExecutions } from "../store/executions.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { operation, requireExecution, requireJob } from "./params.ts";
import { PAGE_ICON } from "./stream-icons.ts";
import { streamPage } from "./stream-page.ts";
import { urlsOf } from "./urls.ts";

/** What the page may do: run and be styled by what is served here, and speak with nobody else. */
const PAGE_HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "cache-control": "no-cache",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const FILES = {
  "stream.js": { text: script, type: "text/javascript; charset=utf-8" },
  "stream.css": { text: style, type: "text/css; charset=utf-8" },
  "icon.svg": { text: PAGE_ICON, type: "image/svg+xml" },
} as const;
const REVISION = createHash("sha256").update(script).update(style).digest("hex").slice(0, 16);

const JOB = "/tasks/:taskId/jobs/:jobId";

/** Pages that show a log as it is written, and what they are made of. */
export function streamRoutes(deps: HttpDeps) {
  const pageOf = (
    c: HttpContext,
    { taskId, jobId }: PageIds,
    row: ExecutionRow | null,
    own: boolean,
  ) => {
    const urls = urlsOf(deps, c);
    const pathOf = (url: string) => new URL(url).pathname.replace(/\/$/, "");
    const page = streamPage({
      taskId,
      jobId,
      executionId: own ? (row?.id ?? null) : null,
      status: row?.status ?? null,
      // Where a proxy adds a path, all of ours is behind it.
      root: pathOf(urls.path("")),
      taskPath: pathOf(urls.task(taskId)),
      jobPath: pathOf(urls.job(taskId, jobId)),
      revision: REVISION,
    });
    return c.html(page, 200, PAGE_HEADERS);
  };
  const executionPage = async (c: HttpContext) => {
    const row = await requireExecution(deps, c);
    return pageOf(c, row, row, true);
  };

  const routes = new Hono<HttpEnv>()
    .get(`${JOB}/stream`, operation("streamJob"), async (c) => {
      const job = await requireJob(deps, c);
      const [last] = await lastExecutions(deps.db, job.id, 1);
      return pageOf(c, { taskId: job.taskId, jobId: job.id }, last ?? null, false);
    })
    .get(`${JOB}/executions/:executionId/stream`, operation("streamExecution"), executionPage)
    .get(`${JOB}/stream/executions/:executionId`, operation("streamJobExecution"), executionPage);
  for (const [name, { text, type }] of Object.entries(FILES)) {
    const etag = `"${createHash("sha256").update(text).digest("hex").slice(0, 32)}"`;
    routes.get(`/page/${name}`, operation("page"), (c) => {
      const isThisRevision = c.req.query("v") === REVISION;
      const headers = {
        "content-type": type,
        "cache-control": isThisRevision ? "private, max-age=31536000, immutable" : "no-cache",
        "cross-origin-resource-policy": "same-origin",
        "x-content-type-options": "nosniff",
        etag,
      };
      const isKnown = c.req.header("if-none-match")?.includes(etag.slice(1, -1)) === true;
      return isKnown ? c.body(null, 304, headers) : c.body(text, 200, headers);
    });
  }
  return routes;
}

type PageIds = Pick<ExecutionRow, "taskId" | "jobId">;
