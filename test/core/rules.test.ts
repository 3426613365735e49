import { describe, expect, test } from "bun:test";
import { backoffMs } from "../../src/core/backoff.ts";
import { endOfProcess } from "../../src/core/end.ts";
import { hostAndPort, parseHostName } from "../../src/core/host-name.ts";
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

test.each<[string, string, number | null]>([
  ["tcp://10.0.0.7:2375", "10.0.0.7", 2375],
  ["old-style:2375", "old-style", 2375],
  ["tcp://[::1]:2375", "::1", 2375],
  ["unix:///var/run/docker.sock", "unix:///var/run/docker.sock", null],
])("the host %p is shown as %p and %p", (text, host, port) => {
  expect(hostAndPort(text)).toEqual({ host, port });
});

test.each([
  ["name"],
  ["tcp://name"],
  ["name:0"],
  ["name:65536"],
  ["unix://relative"],
  ["ftp://a:1"],
])("%p is no host", (text) => {
  expect(parseHostName(text)).toBeNull();
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

  test("executions go to the host that runs the fewest, each counted at once", () => {
    const running = new Map([
      ["a", 2],
      ["b", 0],
      ["c", 1],
    ]);

    const placed = placeOnHosts(["1", "2", "3", "4"], running);

    expect(placed.map(({ host }) => host)).toEqual(["b", "b", "c", "a"]);
    expect(placed.map(({ executionId }) => executionId)).toEqual(["1", "2", "3", "4"]);
    expect(running.get("b")).toBe(0);
  });

  test("without a host nothing is placed", () => {
    expect(placeOnHosts(["1"], new Map())).toEqual([]);
  });
});

test.each<[number, boolean, boolean, Status, FailureCause | null]>([
  [0, false, false, "done", null],
  [0, true, true, "done", null],
  [3, false, false, "failed", "exit_code"],
  [137, false, false, "failed", "exit_code"],
  [137, true, false, "failed", "oom_killed"],
  [137, false, true, "failed", "host_lost"],
  [143, false, true, "failed", "host_lost"],
  [3, false, true, "failed", "exit_code"],
])(
  "exit code %p, out of memory %p, engine gone %p: %p, %p",
  (exitCode, oomKilled, gone, endsAs, cause) => {
    const exit = { exitCode, oomKilled, startedAt: null, finishedAt: null };

    const circumstances = { timeoutSeconds: 60, engineWasGone: gone };
    const { status, failureCause } = endOfProcess(exit, circumstances);

    expect([status as Status, failureCause]).toEqual([endsAs, cause]);
  },
);

test.each<[number, number, Status]>([
  [0, 59_999, "done"],
  [0, 60_000, "timedout"],
  [143, 60_100, "timedout"],
  [3, 10, "failed"],
])("exit code %p after %p ms of 60 s: %p", (exitCode, ranMs, endsAs) => {
  const startedAt = new Date("2026-01-01T00:00:00Z");
  const finishedAt = new Date(startedAt.getTime() + ranMs);
  const exit = { exitCode, oomKilled: false, startedAt, finishedAt };

  const end = endOfProcess(exit, { engineWasGone: false, timeoutSeconds: 60 });

  expect(end.status as Status).toBe(endsAs);
  expect(end.exitCode).toBe(exitCode);
});
