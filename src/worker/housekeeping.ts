import { messageOf } from "../core/errors.ts";
import type { Secrets } from "../payload/sealed.ts";
import { forgetAudit } from "../services/forget-audit.ts";
import { forgetExecutions } from "../services/forget-executions.ts";
import { pruneLogs } from "../services/prune-logs.ts";
import { takeChore } from "../store/chores.ts";
import type { Db } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { addLogDays } from "../store/log-days.ts";
import type { Log } from "./log.ts";
import { type Repeated, repeat } from "./repeat.ts";
import { sealRest } from "./sealing.ts";

/** How often a node asks whether it is time: whoever asks first then does it for all. */
const ASK_EVERY_MS = 60_000;
const EVERY_SECONDS = 3_600;

export interface Retention {
  logsDays: number;
  /** Of the logs of what failed, timed out or was lost; not below `logsDays`. */
  failedLogsDays: number;
  /** Of the rows of executions; not below `failedLogsDays`. */
  executionsDays: number;
  /** Of who did what. */
  auditDays: number;
}

export interface HousekeepingDeps {
  db: Db;
  log: Log;
  retention: Retention;
  secrets: Secrets;
}

/** Each hour one node makes room for the logs to come and removes what need not be kept any more. */
export function startHousekeeping(deps: HousekeepingDeps): Pick<Repeated, "stop"> {
  const stopping = new AbortController();
  const keeping = repeat(ASK_EVERY_MS, async () => {
    let isOurs = false;
    try {
      isOurs = await takeChore(deps.db, "housekeeping", EVERY_SECONDS);
      if (isOurs) await keepHouse(deps, stopping.signal);
    } catch (error) {
      // A statement that takes too long counts as Postgres being away, and would each hour.
      if (stopping.signal.aborted || (!isOurs && isDatabaseDown(error))) return;
      deps.log.error({ error: messageOf(error) }, "housekeeping failed");
    }
  });
  return {
    async stop() {
      stopping.abort();
      await keeping.stop();
    },
  };
}

export async function keepHouse(
  { db, log, retention, secrets }: HousekeepingDeps,
  signal: AbortSignal,
): Promise<void> {
  await addLogDays(db);
  const logs = await pruneLogs(db, retention, signal);
  if (logs.busy.length > 0) log.warn({ days: logs.busy }, "logs are in use that are to be dropped");
  const forgotten = await forgetExecutions(db, retention.executionsDays, signal);
  await sealRest({ db, log, secrets }, signal);
  const days = { dropped: logs.dropped, thinned: logs.thinned };
  const acts = await forgetAudit(db, retention.auditDays, signal);
  if (days.dropped.length + days.thinned.length + forgotten.executions + acts > 0) {
    log.info({ ...days, ...forgotten, acts }, "removed what need not be kept any more");
  }
}
