import { describe, expect, test } from "bun:test";
import { backoffMs } from "../../src/core/backoff.ts";
import { endOfProcess } from "../../src/core/end.ts";
import { shareOfHosts } from "../../src/core/farm.ts";
import { formatImageReference, parseImageReference } from "../../src/core/image-reference.ts";
import { hostsOf, type PoolRule, placeOnHosts, poolOf } from "../../src/core/pool.ts";
import { redactEnvs, SECRET_WORDS } from "../../src/core/redact.ts";
import type { FailureCause, Status } from "../../src/core/status.ts";

test.each([
  [1, 0, 500],
  [1, 1, 1_000],
  [2, 0.5, 1_500],
  [3, 1, 4_000],
  [4, 1, 5_000],
  [2_000, 1, 5_000],
])("after %p failures and with luck %p the wait is %p ms", (failures, random, ms) => {
  expect(backoffMs({ minMs: 1_000, factor: 2, maxMs: 5_000 }, failures, random)).toBe(ms);
});

test.each([
  ["PASSWORD", "***"],
  ["smtp_password", "***"],
  ["API_KEY", "***"],
  ["Monkey", "***"],
  ["SECRETS", "***"],
  ["OAUTH_CLIENT_ID", "***"],
  ["GITHUB_TOKEN", "***"],
  ["CLIENT-ID", "value"],
  ["PASS", "value"],
])("of the variable %p is shown %p", (name, shown) => {
  expect(redactEnvs({ [name]: "value" }, SECRET_WORDS)).toEqual({ [name]: shown });
});

const DIGEST = `sha256:${"a".repeat(64)}`;
test.each([
  ["busybox", "busybox:latest"],
  ["busybox:1.36", "busybox:1.36"],
  ["team/tool", "team/tool:latest"],
  ["registry.example:5000/team/tool", "registry.example:5000/team/tool:latest"],
  ["registry.example:5000/team/tool:v1", "registry.example:5000/team/tool:v1"],
  ["localhost/tool", "localhost/tool:latest"],
  ["Registry.Example/tool", "Registry.Example/tool:latest"],
  [`busybox@${DIGEST}`, `busybox@${DIGEST}`],
  [`busybox:1@${DIGEST}`, `busybox@${DIGEST}`],
])("the image %p is pulled as %p", (text, pulled) => {
  const reference = parseImageReference(text);

  expect(reference && formatImageReference(reference)).toBe(pulled);
});

test.each([
  [""],
  ["BusyBox"],
  ["busy box"],
  ["busybox:"],
  ["busybox:-x"],
  ["/busybox"],
  ["busybox/"],
  ["a//b"],
  ["busybox@sha256:zz"],
  ["-busybox"],
  ["../busybox"],
  ["busybox\n"],
])("%j is no image reference", (text) => {
  expect(parseImageReference(text)).toBeNull();
});

describe("pools", () => {
  const pool = (match: string, ...hosts: string[]): PoolRule => ({ match, hosts, maxRunning: 1 });
  const pools = [pool("^reports-", "a", "b"), pool("s$", "b"), pool("", "c")];

  test.each([
    ["reports-daily", "^reports-"],
    ["jobs", "s$"],
    ["other", ""],
  ])("the task %p goes to the first pool that fits, %p", (task, match) => {
    expect(poolOf(pools, task)?.match).toBe(match);
  });

  test("a task that no pool fits has none", () => {
    expect(poolOf([pool("^a")], "b")).toBeNull();
  });

  test("a host in two pools is one host", () => {
    expect(hostsOf(pools)).toEqual(["a", "b", "c"]);
  });

  const host = (running: number, ...images: string[]) => ({ running, images: new Set(images) });
  const waiting = (
    executionId: string,
    image: string | null = null,
    avoids: string | null = null,
  ) => ({
    executionId,
    image,
    avoids,
  });
  const hostsFor = (...asked: Parameters<typeof placeOnHosts>) =>
    placeOnHosts(...asked).map((placement) => placement.host);

  test("executions go to the host that runs the fewest, each counted at once", () => {
    const hosts = new Map([
      ["a", host(2)],
      ["b", host(0)],
      ["c", host(1)],
    ]);

    const placed = placeOnHosts(
      ["1", "2", "3", "4"].map((id) => waiting(id)),
      hosts,
      20,
    );

    expect(placed.map((placement) => placement.host)).toEqual(["b", "b", "c", "a"]);
    expect(placed.map(({ executionId }) => executionId)).toEqual(["1", "2", "3", "4"]);
    expect(hosts.get("b")?.running).toBe(0);
  });

  test("a host that has the image goes first, until it runs its share of the pool", () => {
    const hosts = new Map([
      ["has", host(0, "tool:1")],
      ["idle", host(0)],
    ]);
    const many = Array.from({ length: 6 }, (_, i) => waiting(String(i), "tool:1"));

    expect(hostsFor(many, hosts, 8)).toEqual(["has", "has", "has", "has", "idle", "idle"]);
    expect(hostsFor([waiting("1", "other:1")], new Map([["z", host(3)], ...hosts]), 8)).toEqual([
      "has",
    ]);
  });

  test("a host on which it could not begin comes last, whatever it has", () => {
    const hosts = new Map([
      ["has", host(0, "tool:1")],
      ["busy", host(7)],
    ]);

    expect(hostsFor([waiting("1", "tool:1", "has")], hosts, 20)).toEqual(["busy"]);
    const alone = new Map([["has", host(0)]]);
    expect(hostsFor([waiting("1", null, "has")], alone, 20)).toEqual(["has"]);
  });

  test("without a host nothing is placed", () => {
    expect(placeOnHosts([waiting("1")], new Map(), 20)).toEqual([]);
  });
});

test("all nodes together have room for each host, and none has more than one above its part", () => {
  for (let hosts = 0; hosts <= 20; hosts++) {
    for (let nodes = 1; nodes <= 9; nodes++) {
      const share = shareOfHosts(hosts, nodes);
      expect(share * nodes).toBeGreaterThanOrEqual(hosts);
      expect(share).toBeLessThan(hosts / nodes + 1);
    }
  }
});

test.each<[number, boolean, boolean, Status, FailureCause | null]>([
  [0, false, false, "done", null],
  [0, true, true, "done", null],
  [3, false, false, "failed", "exit_code"],
  [137, false, false, "failed", "exit_code"],
  [137, true, false, "failed", "oom_killed"],
  [137, false, true, "failed", "host_lost"],
  [143, false, true, "failed", "host_lost"],
  [255, false, false, "failed", "exit_code"],
  [255, false, true, "failed", "host_lost"],
  [3, false, true, "failed", "exit_code"],
])(
  "exit code %p, out of memory %p, engine gone %p: %p, %p",
  (exitCode, oomKilled, gone, endsAs, cause) => {
    const exit = { exitCode, oomKilled, startedAt: null, finishedAt: null };

    const circumstances = { timeoutSeconds: 60, engineWasGone: gone, isDrained: false };
    const { status, failureCause } = endOfProcess(exit, circumstances);

    expect([status as Status, failureCause]).toEqual([endsAs, cause]);
  },
);

test.each<[number, Status, FailureCause | null]>([
  [0, "done", null],
  [143, "failed", "host_lost"],
  [1, "failed", "host_lost"],
])("exit code %p on a host that was drained: %p, %p", (exitCode, endsAs, cause) => {
  const exit = { exitCode, oomKilled: false, startedAt: null, finishedAt: null };

  const end = endOfProcess(exit, { timeoutSeconds: 60, engineWasGone: false, isDrained: true });

  expect([end.status as Status, end.failureCause]).toEqual([endsAs, cause]);
});

test.each([0, 3])("an end with exit code %p says that its log may not be whole", (exitCode) => {
  const exit = { exitCode, oomKilled: false, startedAt: null, finishedAt: null };

  const endIf = (engineWasGone: boolean) =>
    endOfProcess(exit, { timeoutSeconds: 60, engineWasGone, isDrained: false });
  expect(endIf(true).message).toContain("log");
  expect(endIf(true).logHasGap).toBe(true);
  expect(endIf(false)).toMatchObject({ message: null, logHasGap: false });
});

test.each<[number, number, Status]>([
  [0, 59_999, "done"],
  [0, 60_000, "timedout"],
  [143, 60_100, "timedout"],
  [3, 10, "failed"],
])("exit code %p after %p ms of 60 s: %p", (exitCode, ranMs, endsAs) => {
  const startedAt = new Date("2026-01-01T00:00:00Z");
  const finishedAt = new Date(startedAt.getTime() + ranMs);
  const exit = { exitCode, oomKilled: false, startedAt, finishedAt };

  const end = endOfProcess(exit, {
    engineWasGone: false,
    isDrained: false,
    timeoutSeconds: 60,
  });

  expect(end.status as Status).toBe(endsAs);
  expect(end.exitCode).toBe(exitCode);
});
