import { addPruned, nothingPruned, type Pause, type Pruned } from "../core/pruned.ts";
import type { Db } from "../store/connect.ts";
import { dropOldKeys } from "../store/idempotency-keys.ts";
import { dropOldReceipts } from "../store/reconciliations.ts";
import { forgetAudit } from "./forget-audit.ts";
import { forgetExecutions } from "./forget-executions.ts";
import { inSteps } from "./in-steps.ts";
import { type PrunedLogs, pruneLogs } from "./prune-logs.ts";

/** In days, of what has ended and of who did what. */
export interface Retention {
  logsDays: number;
  /** Of the logs of what failed, timed out or was lost; not below `logsDays`. */
  failedLogsDays: number;
  /** Of the rows of executions; not below `failedLogsDays`. */
  executionsDays: number;
  /** Of who did what. */
  auditDays: number;
}

/** Rows of one statement. */
const BATCH = 1_000;

/**
 * Removes what need not be kept any more, in small steps that hold nobody up.
 *
 * @param pause Between two of them.
 */
export async function prune(
  db: Db,
  retention: Retention,
  pause: Pause,
): Promise<{ pruned: Pruned; logs: PrunedLogs }> {
  const pruned = nothingPruned();
  const logs = await pruneLogs(db, retention, pause);
  const count = logs.dropped.length + logs.thinned.length;
  addPruned(pruned, { logDays: { count, bytes: logs.bytes } });
  addPruned(pruned, await forgetExecutions(db, retention.executionsDays, pause));
  addPruned(pruned, {
    audit: await forgetAudit(db, retention.auditDays, pause),
    idempotencyKeys: await inSteps(pause, () => dropOldKeys(db, BATCH)),
    reconciliations: await inSteps(pause, () => dropOldReceipts(db, BATCH)),
  });
  return { pruned, logs };
}
