import { cronTimes } from "../../src/core/cron.ts";
import { endOf, type Facts, type Finding, hasEnded, type Invariant } from "./facts.ts";
import { type Job, MAX_RUNNING } from "./load.ts";

/** Docker's times and ours are of one clock, but an end is noted a moment after it was. */
const NOTED_WITHIN_MS = 1_000;

/** Retries, limits, schedules and stops. */
export const ORDER_INVARIANTS: Invariant[] = [
  {
    name: "retries that are missing, or too many",
    find: (facts) =>
      facts.told.flatMap((each) => {
        const job = facts.jobOf(each.task);
        const next = facts.told.filter(({ retryOf }) => retryOf === each.id);
        const isDue = endOf(each) === "exit_code" && each.retry < (job?.retries ?? 0);
        if (!hasEnded(each) || next.length === (isDue ? 1 : 0)) return [];
        return [{ executionId: each.id, words: `${each.task}: ${next.length} retries of it` }];
      }),
  },
  {
    name: "moments at which more ran than a concurrency key allows",
    find: (facts) => findCrowds(facts, keyOf),
  },
  {
    name: "moments at which more ran than the pool allows",
    find: (facts) => findCrowds(facts, () => ({ key: "pool", limit: MAX_RUNNING })),
  },
  { name: "ticks without their execution, or the other way round, or lost", find: findTicks },
  {
    name: "stops that were acknowledged and not obeyed",
    find: (facts) =>
      facts.sent.flatMap((sent) => {
        const { job, stoppedAt } = sent;
        if (job.cron || stoppedAt === null) return [];
        return facts
          .toldOf(sent)
          .filter((each) => each.status !== "stopped" && endOf(each) !== "host_lost")
          .filter(({ finishedAt }) => (finishedAt ?? Infinity) > stoppedAt + NOTED_WITHIN_MS)
          .map((each) => ({ executionId: each.id, words: `${each.task}: ${each.status}` }));
      }),
  },
];

interface Limit {
  key: string;
  limit: number;
}

function keyOf(job: Job | undefined): Limit | null {
  const key = job?.keys["concurrencyKey"];
  return typeof key === "string" ? { key, limit: Number(job?.keys["concurrencyLimit"]) } : null;
}

/** By the containers' own reports: a container has begun before it says so, and ends after. */
function findCrowds(facts: Facts, limitOf: (job: Job | undefined) => Limit | null): Finding[] {
  const limited = facts.runs.flatMap(({ task, begin, end, executionId }) => {
    const limit = limitOf(facts.jobOf(task));
    if (limit === null || begin === null || end === null) return [];
    return [{ ...limit, task, executionId, from: begin.at, to: end.at }];
  });
  return limited.flatMap((run) => {
    const beside = limited.filter(
      ({ key, from, to }) => key === run.key && from <= run.from && run.from < to,
    );
    if (beside.length <= run.limit) return [];
    const tasks = beside.map(({ task }) => task).join(", ");
    const words = `${run.key}: ${beside.length} at once, ${tasks}`;
    return [run.executionId === null ? { words } : { words, executionId: run.executionId }];
  });
}

function findTicks(facts: Facts): Finding[] {
  return facts.sent.flatMap((sent): Finding[] => {
    const [answer] = sent.answers;
    if (!sent.job.cron || answer === undefined) return [];
    const { task } = sent.job;
    const ticks = facts.ticks
      .filter(({ jobId }) => jobId === answer.jobId)
      .sort((left, right) => (left.at < right.at ? -1 : 1));
    const made = facts.toldOf(sent);
    const ran = ticks.filter(({ outcome }) => outcome === "ran" || outcome === "caught_up");
    const alone = ran
      .filter(({ executionId }) => !made.some(({ id }) => id === executionId))
      .map(({ at }) => ({ words: `${task}: the execution of ${at} is not there` }));
    const untold = made
      .filter(
        ({ id, tickAt }) => ran.filter((t) => t.executionId === id && t.at === tickAt).length !== 1,
      )
      .map(({ id, tickAt }) => ({ executionId: id, words: `${task}: no tick at ${tickAt}` }));
    return [...alone, ...untold, ...skippedTimes(sent.job.keys["cron"], ticks, task)];
  });
}

/** Each time of the cron between its first and its last tick has been decided. */
function skippedTimes(cron: unknown, ticks: readonly { at: string }[], task: string): Finding[] {
  const [first] = ticks;
  const last = ticks.at(-1);
  if (first === undefined || last === undefined) return [];
  const times = cronTimes(String(cron), "UTC");
  const decided = new Set(ticks.map(({ at }) => at));
  const lost: Finding[] = [];
  for (
    let at = times.next(new Date(first.at));
    at !== null && at < new Date(last.at);
    at = times.next(at)
  ) {
    if (!decided.has(at.toISOString()))
      lost.push({ words: `${task}: ${at.toISOString()} is lost` });
  }
  return lost;
}
