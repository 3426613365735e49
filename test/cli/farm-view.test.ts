import { expect, test } from "bun:test";
import { countLines } from "../../src/cli/farm-view.ts";
import { storeLine } from "../../src/cli/store-line.ts";
import { coloursFor } from "../../src/terminal/colours.ts";

const colours = coloursFor({ isTerminal: false, environment: {}, refused: true });
const of = (length: number) => ({ length });
const ANSWER = {
  ...{ fastlane: { version: "1" }, hosts: [], pools: [] },
  tasks: { count: 1 },
  jobs: { count: 2, scheduled: [] },
  queues: {
    ...{ monitor: of(0), jobs: of(0), scheduled: of(0) },
    ...{ webhooks: of(1), notify: of(2), error: of(1) },
  },
};

test.each([
  [
    null,
    "1 task  2 jobs  0 running  0 waiting  0 scheduled  1 webhook to send  2 mails to send  1 message given up\n",
  ],
  [
    40,
    "1 task  2 jobs  0 running  0 waiting\n0 scheduled  1 webhook to send\n2 mails to send  1 message given up\n",
  ],
  [
    5,
    "1 task\n2 jobs\n0 running\n0 waiting\n0 scheduled\n1 webhook to send\n2 mails to send\n1 message given up\n",
  ],
])("the counts in %p columns break between them", (columns, lines) => {
  expect(countLines(ANSWER, { columns, colours, now: new Date(0) })).toBe(lines);
});

test("the store's line says when the next prune comes, and not that one has been", () => {
  const prune = {
    isAsked: false,
    isRunning: false,
    finishedAt: null,
    nextAt: "1970-01-01T00:53:00Z",
    result: null,
  };
  const store = {
    bytes: 2 ** 20,
    logsBytes: 0,
    growthBytesPerDay: null,
    oldestLogDay: null,
    prune,
  };

  const line = storeLine({ ...ANSWER, store }, { columns: null, colours, now: new Date(0) });

  expect(line).toMatch(/^store 1\.0 MiB, logs \S.* {2}next prune in 53 min\n$/);
});
