import type { Sent } from "./client.ts";
import type { Evidence, Told } from "./evidence.ts";
import { planLoad } from "./load.ts";
import type { EngineEvent, Report } from "./witness.ts";
import { outputOf } from "./work.ts";

/*
 * Evidence of a single execution, for the tests of what the invariants find in it.
 */

export const ID = "11111111-1111-4111-8111-111111111111";
export const OTHER = "22222222-2222-4222-8222-222222222222";
const CONTAINER = "c".repeat(64);
const [JOB] = planLoad(1, 1, 1);
if (JOB === undefined) throw new Error("No job was planned");

export const WORK = { ...JOB.work, lines: 3, padBytes: 0, exitCode: 0 };
const job = { ...JOB, ...{ kind: "quick", task: "quick-1", work: WORK, count: 1, keys: {} } };
export const plain = {
  ...job,
  stopAfterMs: null,
  ends: ["done"] as const,
  retries: 0,
  cron: false,
};

export const told = (keys: Partial<Told> = {}): Told => ({
  id: ID,
  jobId: ID,
  task: "quick-1",
  status: "done",
  failureCause: null,
  exitCode: 0,
  engine: "engine 1",
  containerId: CONTAINER,
  createdAt: 1_000,
  finishedAt: 3_000,
  retry: 0,
  retryOf: null,
  tickAt: null,
  stdout: outputOf(WORK, "stdout"),
  stderr: outputOf(WORK, "stderr"),
  words: "",
  ...keys,
});
export const report = (keys: Partial<Report> = {}): Report => ({
  at: 2_000,
  what: "begin",
  engine: "engine 1",
  task: "quick-1",
  run: "run-1",
  container: CONTAINER.slice(0, 12),
  lines: 0,
  exitCode: null,
  ...keys,
});
export const end = (keys: Partial<Report> = {}) =>
  report({ at: 2_900, what: "end", lines: 3, exitCode: 0, ...keys });
export const event = (keys: Partial<EngineEvent> = {}): EngineEvent => ({
  at: 1_990,
  what: "start",
  engine: "engine 1",
  containerId: CONTAINER,
  executionId: ID,
  ...keys,
});
export const sent = (keys: Partial<Sent> = {}): Sent => ({
  job: plain,
  outcome: "acknowledged",
  answers: [
    {
      executionId: ID,
      executionUrl: "",
      jobId: ID,
      jobUrl: "",
      queueJobId: "1",
      taskId: "quick-1",
      taskUrl: "",
    },
  ],
  stoppedAt: null,
  ...keys,
});
/** One execution that ran once, and all is well. */
export const evidence = (keys: Partial<Evidence> = {}): Evidence => ({
  sent: [sent()],
  told: [told()],
  ticks: [],
  reports: [report(), end()],
  events: [event(), event({ at: 2_950, what: "die" })],
  faults: [],
  containersLeft: [],
  messagesGivenUp: [],
  wrongEnds: [],
  wrongAnswers: [],
  ...keys,
});
