import { Hono } from "hono";
import { AppError } from "../core/errors.ts";
import { originOf } from "../core/webhook-rules.ts";
import type { Delivery } from "../payload/delivery-answers.ts";
import { redeliverNow } from "../services/redeliver.ts";
import { type LedgerEntry, ledgerOf } from "../store/ledger.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { actBy } from "./act-by.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { operation, requireExecution, UUID } from "./params.ts";
import { type Urls, urlsOf } from "./urls.ts";

const DELIVERIES = "/tasks/:taskId/jobs/:jobId/executions/:executionId/deliveries";

/** Who was told of an execution, and what came of it. */
export function deliveryRoutes(deps: HttpDeps) {
  const { db } = deps;
  return new Hono<HttpEnv>()
    .get(DELIVERIES, operation("listDeliveries"), async (c) => {
      const row = await requireExecution(deps, c);
      const urls = urlsOf(deps, c);
      const ledger = await ledgerOf(db, row.id);
      return c.json({ items: ledger.map((entry) => deliveryView(entry, row, urls)) });
    })
    .post(`${DELIVERIES}/:deliveryId/redeliver`, operation("redeliver"), async (c) => {
      const row = await requireExecution(deps, c);
      const entry = await redeliverNow(db, row, deliveryIdOf(c), actBy(deps, c));
      return c.json(deliveryView(entry, row, urlsOf(deps, c)));
    });
}

/** @throws {AppError} `delivery_not_found` for what is no id. */
function deliveryIdOf(c: HttpContext): string {
  const id = c.req.param("deliveryId") ?? "";
  if (UUID.test(id)) return id;
  throw new AppError("delivery_not_found", `There is no delivery "${id.slice(0, 50)}"`);
}

function deliveryView(entry: LedgerEntry, row: ExecutionRow, urls: Urls): Delivery {
  const { id, event, kind, source, target, status, maxTries, dueAt, createdAt, attempts } = entry;
  const executionUrl = urls.execution(row.taskId, row.jobId, row.id);
  return {
    id,
    event,
    kind,
    source,
    // Who may read an execution need not know the path of the service's own webhook.
    target: source === "service" ? originOf(target) : target,
    status,
    maxTries,
    dueAt: dueAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    attempts: attempts.map(({ deliveryId: _, at, ...attempt }) => ({
      ...attempt,
      at: at.toISOString(),
    })),
    redeliverUrl: `${executionUrl}deliveries/${id}/redeliver/`,
  };
}
