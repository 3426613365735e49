import { expect, test } from "bun:test";
import type { ContainerState } from "../../src/farm/host.ts";
import { withMemoryWord } from "../../src/worker/killed-for-memory.ts";

const ENDED: ContainerState = {
  id: "a",
  labels: {},
  phase: "ended",
  exitCode: 137,
  oomKilled: false,
  error: "",
  startedAt: null,
  finishedAt: null,
};

/** An engine that knows of the kernel's kill from a look on. */
function engine(knowsFrom: number) {
  let looks = 0;
  return {
    looks: () => looks,
    inspect: async () => ({ ...ENDED, oomKilled: ++looks >= knowsFrom }),
  };
}

test("a kill for memory that the engine tells of behind the exit counts as one", async () => {
  const host = engine(3);

  const state = await withMemoryWord(host, ENDED, new AbortController().signal);

  expect([state.oomKilled, host.looks()]).toEqual([true, 3]);
});

test.each([
  ["killed by somebody else is looked at for a moment alone", ENDED, 5],
  ["that ended by itself is not looked at", { ...ENDED, exitCode: 3 }, 0],
  ["known to be killed for it is not looked at", { ...ENDED, oomKilled: true }, 0],
] as const)("a container %s", async (_, ended, looks) => {
  const host = engine(Number.POSITIVE_INFINITY);

  const state = await withMemoryWord(host, ended, new AbortController().signal);

  expect([state.oomKilled, host.looks()]).toEqual([ended.oomKilled, looks]);
});

test("a node that leaves the host does not wait for it", async () => {
  const host = engine(1);

  await withMemoryWord(host, ENDED, AbortSignal.abort());

  expect(host.looks()).toBe(0);
});
