import { expect, test } from "bun:test";
import { containerNameOf } from "../../src/farm/labels.ts";
import { startTestApp } from "../support/app.ts";
import {
  type ExecutionJson,
  enqueue,
  eventually,
  untilEnded,
  untilExecution,
} from "../support/client.ts";
import { type ScriptedFarm, startScriptedFarm } from "../support/scripted-docker/farm.ts";
import type { Fault } from "../support/scripted-docker/host.ts";

const HOSTS = 60;
const EXECUTIONS = 300;
const FAULTS: Fault[] = [
  { kind: "refuse" },
  { kind: "hang" },
  { kind: "error" },
  { kind: "lose" },
  { kind: "hang", calls: ["version", "start"] },
];
/** One of each; the rest are well. */
const FAILING = FAULTS.map((_, number) => number);

test("hundreds of executions on tens of hosts end once each, with whole logs, though some hosts fail", async () => {
  await using farm = await startScriptedFarm(HOSTS);
  await using app = await startTestApp({
    config: { dockerHosts: [{ match: "", hosts: farm.hosts, maxRunning: EXECUTIONS }] },
  });
  await untilAllAvailable(app.url);

  // Half of them are on their hosts when the faults begin, and half come before those are noticed.
  const first = await enqueueMany(app.url, EXECUTIONS / 2);
  await untilStarted(farm, EXECUTIONS / 2);
  for (const number of FAILING) await farm.setFault(FAULTS[number] ?? null, [number]);
  const all = [...first, ...(await enqueueMany(app.url, EXECUTIONS / 2))];
  const failing = FAILING.map((number) => farm.hosts[number]);
  const restOrEnd = ({ finishedAt, metadata }: ExecutionJson) =>
    finishedAt !== null || failing.some((host) => host === metadata.docker_host);
  const meanwhile = await Promise.all(all.map((each) => untilExecution(each, restOrEnd)));
  await farm.setFault(null, FAILING);
  const ends = await Promise.all(all.map((each) => untilEnded(each)));

  expect(meanwhile.filter(({ finishedAt }) => finishedAt !== null).length).toBeGreaterThan(
    EXECUTIONS / 2,
  );
  expect(ends.filter(({ status }) => status !== "done")).toEqual([]);
  expect(ends.filter(({ log }) => log !== "line 1\nline 2\nline 3\nline 4\n")).toEqual([]);
  const starts = await farm.starts();
  for (const { executionId } of ends) {
    expect(starts.get(containerNameOf(executionId)), executionId).toHaveLength(1);
  }
  await eventually(
    async () =>
      (await farm.tell()).every(({ containers }) => containers === 0) ? true : undefined,
    () => "containers are left",
  );
}, 60_000);

async function enqueueMany(url: string, count: number) {
  const posts = Array.from({ length: count }, () =>
    enqueue(url, "farm", { command: "chatter 4 500ms" }),
  );
  return await Promise.all(posts);
}

async function untilAllAvailable(url: string): Promise<void> {
  await eventually(
    async () => {
      const status = await (await fetch(`${url}/status/`)).json();
      const { hosts } = status as { hosts: { available: boolean }[] };
      return hosts.every(({ available }) => available) ? true : undefined;
    },
    () => "hosts are not available",
  );
}

async function untilStarted(farm: ScriptedFarm, count: number): Promise<void> {
  await eventually(
    async () => ((await farm.starts()).size >= count ? true : undefined),
    () => `fewer than ${count} have been started`,
  );
}
