import { type PoolRule, poolOf } from "../core/pool.ts";
import { judgeTicks, type Tick } from "../core/schedule.ts";
import { enqueue } from "../queue/enqueue.ts";
import type { Db, Tx } from "../store/connect.ts";
import { insertExecutions, type NewExecution, openExecutions } from "../store/executions.ts";
import { findJobById } from "../store/jobs.ts";
import { armSchedule, decidedTicks, insertTicks, lockArmedSchedule } from "../store/schedules.ts";
import type { JobRow, ScheduleRow, TickRow } from "../store/schema.ts";
import { executionOf } from "./job-plan.ts";

type NewTick = Omit<TickRow, "decidedAt">;

/**
 * Decides the ticks of a job's schedule that are due, makes their executions and arms the next one,
 * all in one transaction: whatever is killed, a tick is decided once. Done again, or too early, it
 * does nothing.
 *
 * @returns The pools in which something new waits.
 */
export async function fireSchedule(
  db: Db,
  pools: readonly PoolRule[],
  jobId: string,
): Promise<string[]> {
  return await db.transaction(async (tx) => {
    const armed = await lockArmedSchedule(tx, jobId);
    if (armed === null || armed.nextAt > armed.now) return [];
    const job = await findJobById(tx, jobId);
    if (job === null) return [];
    const { ticks, nextAt } = judgeTicks(armed.schedule, armed.nextAt, armed.now);
    const decided = await decide(tx, pools, job, armed.schedule, await undecided(tx, jobId, ticks));
    await insertTicks(
      tx,
      decided.map(({ tick }) => tick),
    );
    await insertExecutions(
      tx,
      decided.flatMap(({ execution }) => execution ?? []),
    );
    const messageId = nextAt === null ? null : await enqueue(tx, "fire", { jobId }, nextAt);
    await armSchedule(tx, jobId, nextAt, messageId);
    const served = [...new Set(decided.flatMap(({ execution }) => execution?.pool ?? []))];
    for (const pool of served) await enqueue(tx, "dispatch", { pool });
    return served;
  });
}

interface Decided {
  tick: NewTick;
  execution: NewExecution | null;
}

async function decide(
  tx: Tx,
  pools: readonly PoolRule[],
  job: JobRow,
  { overlap }: ScheduleRow,
  ticks: readonly Tick[],
): Promise<Decided[]> {
  const pool = poolOf(pools, job.taskId);
  let [open] = overlap === "skip" ? await openExecutions(tx, job.id) : [];
  return ticks.map(({ at, verdict, reason }) => {
    const tick = { jobId: job.id, at, executionId: null, blockedBy: null, reason };
    const missed = (why: string): Decided => ({
      tick: { ...tick, outcome: "missed", reason: why },
      execution: null,
    });
    if (verdict === "missed") return missed(reason);
    if (pool === null) return missed(`No pool of dockerHosts matches task "${job.taskId}"`);
    if (open !== undefined) {
      const why = `Execution ${open} of the job has not ended, and overlap is "skip"`;
      return {
        tick: { ...tick, outcome: "skipped", blockedBy: open, reason: why },
        execution: null,
      };
    }
    const execution = {
      ...executionOf(job, pool.match),
      afterPrevious: overlap === "queue",
      tickAt: at,
    };
    if (overlap === "skip") open = execution.id;
    const outcome = verdict === "run" ? "ran" : "caught_up";
    return { tick: { ...tick, outcome, executionId: execution.id }, execution };
  });
}

/** What a schedule decided that this one replaced stands: clocks differ, or may have been put back. */
async function undecided(tx: Tx, jobId: string, ticks: readonly Tick[]): Promise<Tick[]> {
  const decided = await decidedTicks(
    tx,
    jobId,
    ticks.map(({ at }) => at),
  );
  return ticks.filter(({ at }) => !decided.has(at.getTime()));
}
