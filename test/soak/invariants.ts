import { endOf, type Finding, hasEnded, type Invariant } from "./facts.ts";
import { LOG_INVARIANTS } from "./log-invariants.ts";
import { ORDER_INVARIANTS } from "./order-invariants.ts";
import { spanOf } from "./runs.ts";

const words = (found: readonly string[]): Finding[] => found.map((text) => ({ words: text }));

/** What must hold of every run of the soak, in the order of the table. */
export const INVARIANTS: Invariant[] = [
  {
    name: "acknowledged executions that are not there or have not ended",
    find: ({ sent, told }) => {
      const byId = new Map(told.map((each) => [each.id, each]));
      const acknowledged = sent.flatMap(({ answers }) =>
        answers.flatMap(({ executionId, taskId }) =>
          executionId === null ? [] : [{ executionId, taskId }],
        ),
      );
      const lost = acknowledged
        .filter(({ executionId }) => !byId.has(executionId))
        .map((each) => ({ ...each, words: `${each.taskId}: nobody knows it any more` }));
      const open = told
        .filter((each) => !hasEnded(each))
        .map((each) => ({ executionId: each.id, words: `${each.task}: still ${each.status}` }));
      return [...lost, ...open];
    },
  },
  {
    name: "jobs with more or fewer executions than were asked for",
    find: (facts) =>
      facts.sent.flatMap((sent) => {
        const { job, outcome } = sent;
        if (job.cron) return [];
        const made = facts.toldOf(sent).filter(({ retry }) => retry === 0).length;
        const allowed = {
          acknowledged: [job.count],
          indeterminate: [0, job.count],
          "not sent": [0],
        }[outcome];
        if (allowed.includes(made)) return [];
        return words([`${job.task}, ${outcome}: ${made} instead of ${allowed.join(" or ")}`]);
      }),
  },
  {
    name: "executions that ran twice",
    find: (facts) =>
      facts.told.flatMap((each) => {
        const { id, task } = each;
        const isRerun = facts.jobOf(task)?.keys["onHostLost"] === "rerun";
        const mayRunAgain = isRerun && facts.lostItsEngine(each);
        const runs = facts.runsOf(id);
        const twice = runs.filter(({ starts }) => starts > 1);
        if (twice.length === 0 && (mayRunAgain || runs.length <= 1)) return [];
        const where = runs.map(
          ({ container, engine, starts }) => `${starts} x ${container} ${engine}`,
        );
        return [{ executionId: id, words: `${task}: ${where.join(", ")}` }];
      }),
  },
  {
    name: "executions of which two runs overlap",
    find: (facts) =>
      facts.told.flatMap(({ id, task }) => {
        const spans = facts
          .runsOf(id)
          .map(spanOf)
          .sort((left, right) => left.from - right.from);
        const overlaps = spans.filter((span, i) => span.from < (spans[i - 1]?.to ?? 0));
        return overlaps.map(() => ({ executionId: id, words: `${task}: two at once` }));
      }),
  },
  {
    name: "containers that ran for no execution",
    find: ({ runs, told }) => {
      const known = new Set(told.map(({ id }) => id));
      return runs
        .filter(({ executionId }) => executionId === null || !known.has(executionId))
        .map(({ container, engine, task }) => ({
          words: `${task}: container ${container}, ${engine}`,
        }));
    },
  },
  {
    name: "ends by a process that the ledger does not know, or knows otherwise",
    find: (facts) =>
      facts.told.flatMap((each) => {
        if (!["done", "exit_code"].includes(endOf(each))) return [];
        const proven = facts
          .runsOf(each.id)
          .some(({ begin, end }) => begin !== null && end?.exitCode === each.exitCode);
        if (proven) return [];
        return [{ executionId: each.id, words: `${each.task}: ${endOf(each)}, ${each.exitCode}` }];
      }),
  },
  ...LOG_INVARIANTS,
  {
    name: "ends that neither the job nor a fault explains",
    find: (facts) =>
      facts.told.filter(hasEnded).flatMap((each) => {
        const job = facts.jobOf(each.task);
        const end = endOf(each);
        const isWanted = job?.ends.some((wanted) => wanted === end) ?? false;
        const isRightCode = end !== "exit_code" || each.exitCode === job?.work.exitCode;
        if (isWanted && isRightCode) return [];
        const isRerun = job?.keys["onHostLost"] === "rerun";
        if (end === "host_lost" && !isRerun && facts.lostItsEngine(each)) return [];
        return [{ executionId: each.id, words: `${each.task}: ${end}, ${each.exitCode}` }];
      }),
  },
  ...ORDER_INVARIANTS,
  {
    name: "containers left on an engine",
    find: ({ containersLeft }) => words(containersLeft),
  },
  {
    name: "messages of the queue that were given up",
    find: ({ messagesGivenUp }) => words(messagesGivenUp),
  },
  { name: "nodes that ended by themselves or badly", find: ({ wrongEnds }) => words(wrongEnds) },
  { name: "answers that no fault explains", find: ({ wrongAnswers }) => words(wrongAnswers) },
];
