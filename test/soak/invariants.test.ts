import { expect, test } from "bun:test";
import type { Evidence } from "./evidence.ts";
import { factsOf } from "./facts.ts";
import { INVARIANTS } from "./invariants.ts";
import {
  end,
  event,
  evidence,
  ID,
  OTHER,
  plain,
  report,
  sent,
  told,
  WORK,
} from "./made-evidence.ts";
import { ENGINE_KILLED } from "./nemesis.ts";
import { outputOf } from "./work.ts";

const broken = (keys: Partial<Evidence>) => {
  const facts = factsOf(evidence(keys));
  return INVARIANTS.filter(({ find }) => find(facts).length > 0).map(({ name }) => name);
};

const second = { run: "run-2", container: "d".repeat(12), engine: "engine 2" };
const killed = { target: "engine 1", what: ENGINE_KILLED, beganAt: 2_100, endedAt: 2_200 };
const lost = { status: "failed", failureCause: "host_lost", exitCode: 137, stdout: "o 1\n" };
const keyed = {
  ...plain,
  keys: { concurrencyKey: "one", concurrencyLimit: 1 },
};
const cron = { ...plain, cron: true, keys: { cron: "* * * * * *" } };
const tick = { jobId: ID, at: "2026-01-01T00:00:01.000Z", outcome: "ran", executionId: ID };
const ticked = told({ tickAt: tick.at });

test("an execution that ran once and was told truly breaks nothing", () => {
  expect(broken({})).toEqual([]);
});

test("what a fault explains breaks nothing", () => {
  expect(broken({ told: [told(lost)], reports: [report()], faults: [killed] })).toEqual([]);
  expect(broken({ sent: [sent({ outcome: "indeterminate", answers: [] })] })).toEqual([]);
});

test("one that may run again does so after its host was lost, its log behind the first one's", () => {
  const found = broken({
    sent: [sent({ job: { ...plain, keys: { onHostLost: "rerun" } } })],
    told: [
      told({
        engine: "engine 2",
        finishedAt: 5_000,
        stdout: `o 1\no 2\n${outputOf(WORK, "stdout")}`,
      }),
    ],
    reports: [report(), report({ ...second, at: 4_000 }), end({ ...second, at: 5_000 })],
    events: [event(), event({ at: 3_999, containerId: "d".repeat(64), engine: "engine 2" })],
    faults: [killed],
  });

  expect(found).toEqual([]);
});

test.each<[string, string, Partial<Evidence>]>([
  ["an execution that is not there", "not there", { told: [], reports: [], events: [] }],
  ["one that has not ended", "not ended", { told: [told({ status: "running" })] }],
  ["a job made twice", "more or fewer", { told: [told(), told({ id: OTHER })] }],
  ["a container started twice", "ran twice", { reports: [report(), report({ run: "b" }), end()] }],
  ["a start that only the engine saw", "ran twice", { events: [event(), event({ at: 2_500 })] }],
  [
    "a second container",
    "ran twice",
    {
      reports: [report(), end(), report({ ...second, at: 4_000 }), end({ ...second, at: 5_000 })],
      events: [event(), event({ at: 3_999, containerId: "d".repeat(64), engine: "engine 2" })],
    },
  ],
  [
    "a second container beside the first",
    "overlap",
    {
      reports: [report(), end(), report({ ...second, at: 2_500 }), end({ ...second, at: 2_600 })],
      events: [event(), event({ at: 2_499, containerId: "d".repeat(64), engine: "engine 2" })],
    },
  ],
  [
    "a container of nobody",
    "for no execution",
    { reports: [report(), end(), report(second), end(second)] },
  ],
  ["a success that never ran", "does not know", { reports: [], events: [] }],
  ["another exit code", "knows otherwise", { reports: [report(), end({ exitCode: 4 })] }],
  ["a lost line", "missing bytes", { told: [told({ stdout: "o 1\no 3\nrest" })] }],
  ["a lost end", "missing bytes", { told: [told({ stderr: "e 1\ne 2\ne 3\n" })] }],
  ["a line twice", "bytes twice", { told: [told({ stdout: "o 1\no 1\no 2\no 3\nrest" })] }],
  ["lines out of order", "bytes twice", { told: [told({ stdout: "o 2\no 1\no 3\nrest" })] }],
  [
    "one that was lost and not run again, as its job says",
    "explains",
    {
      sent: [sent({ job: { ...plain, keys: { onHostLost: "rerun" } } })],
      told: [told(lost)],
      reports: [report()],
      faults: [killed],
    },
  ],
  ["a lost host that nobody broke", "explains", { told: [told(lost)], reports: [report()] }],
  [
    "a host that was lost before",
    "explains",
    {
      told: [told({ ...lost, createdAt: 2_500 })],
      reports: [report({ at: 2_600 })],
      events: [event({ at: 2_600 })],
      faults: [killed],
    },
  ],
  [
    "a failure that the job did not ask for",
    "explains",
    {
      told: [told({ status: "failed", failureCause: "exit_code", exitCode: 137 })],
      faults: [killed],
    },
  ],
  [
    "a missing retry",
    "retries",
    {
      told: [told({ failureCause: "exit_code" })],
      sent: [sent({ job: { ...plain, retries: 1 } })],
    },
  ],
  [
    "a retry that was not asked for",
    "retries",
    { told: [told(), told({ id: OTHER, retryOf: ID })] },
  ],
  [
    "two of a key at once",
    "concurrency key",
    { sent: [sent({ job: keyed })], reports: [report(), end(), report(second), end(second)] },
  ],
  [
    "more at once than the pool allows",
    "pool",
    {
      reports: Array.from({ length: 13 }, (_, i) => `${i}`.padStart(12, "0")).flatMap(
        (container) => [report({ container }), end({ container })],
      ),
    },
  ],
  [
    "a second run of one that may run again, its host not lost",
    "ran twice",
    {
      sent: [sent({ job: { ...plain, keys: { onHostLost: "rerun" } } })],
      reports: [report(), end(), report({ ...second, at: 4_000 }), end({ ...second, at: 5_000 })],
      events: [event(), event({ at: 3_999, containerId: "d".repeat(64), engine: "engine 2" })],
    },
  ],
  [
    "an execution without its tick",
    "ticks",
    { sent: [sent({ job: cron })], told: [ticked], ticks: [] },
  ],
  [
    "a tick without its execution",
    "ticks",
    { sent: [sent({ job: cron })], told: [ticked], ticks: [tick, { ...tick, executionId: OTHER }] },
  ],
  [
    "a time that was not decided",
    "ticks",
    {
      sent: [sent({ job: cron })],
      told: [ticked],
      ticks: [
        tick,
        { ...tick, at: "2026-01-01T00:00:03.000Z", outcome: "missed", executionId: null },
      ],
    },
  ],
  ["a stop that nobody obeyed", "not obeyed", { sent: [sent({ stoppedAt: 1_500 })] }],
  ["a container that is left", "left", { containersLeft: ["one"] }],
  ["a message that was given up", "given up", { messagesGivenUp: ["one"] }],
  ["a node that ended by itself", "by themselves", { wrongEnds: ["one"] }],
  ["a wrong answer", "answers", { wrongAnswers: ["one"] }],
])("%s is found", (_, name, keys) => {
  expect(broken(keys).join("; ")).toContain(name);
});
