import { setTimeout as delay } from "node:timers/promises";
import { backoffMs } from "../core/backoff.ts";
import { coalesced } from "../core/coalesced.ts";
import { messageOf } from "../core/errors.ts";
import { HostUnreachable } from "../farm/host.ts";
import { executionsOnHost } from "../store/executions.ts";
import { LeaseLost } from "../store/hosts.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { ContainerWords } from "./container-words.ts";
import type { LogLimit } from "./log-limit.ts";
import { Abandoned, persist } from "./persist.ts";
import type { StartSignals } from "./pull-image.ts";
import { type RunDeps, runExecution } from "./run-execution.ts";

/** When a run that failed by a fault of the engine or of ours is begun again. */
const BEGIN_AGAIN = { minMs: 1_000, factor: 2, maxMs: 30_000 };

export interface HostRunsDeps extends Omit<RunDeps, "isTakeOver" | "unstarted"> {
  logLimit: LogLimit;
  /** The host cannot be attended to any longer. */
  fail(error: unknown): void;
}

/** The runs of all executions on a host, each once at a time. */
export interface HostRuns {
  /** Makes sure that each execution on the host has its run, and that each run knows what it must. */
  look(): Promise<void>;
  /** Whether a run sees to the execution. */
  has(executionId: string): boolean;
  ids(): Set<string>;
  /** There is word that a container of an execution has ended. */
  tellEnd(executionId: string, containerId: string): void;
  /** The host is to be empty, from now on or no more. */
  setDrained(isDrained: boolean): void;
  /** What could not begin, by the engine's silence: it has surely not been started. */
  unstarted: ReadonlySet<string>;
  /** Resolves when none of them acts any more. */
  settled(): Promise<void>;
}

interface Run {
  words: { [Word in keyof StartSignals]: AbortController };
  containers: ContainerWords;
  done: Promise<void>;
}

export function createHostRuns(deps: HostRunsDeps): HostRuns {
  const { host, db, signal, sink, logLimit, breaker, log, fail } = deps;
  const runs = new Map<string, Run>();
  /** How often in a row the run of an execution broke. */
  const breaks = new Map<string, number>();
  const unstarted = new Set<string>();
  let isFirstLook = true;
  let isDrained = false;

  const blameHost = (error: HostUnreachable) =>
    host
      .version()
      .then(() => breaker.failed(error.message))
      .catch(fail);

  /** @returns Whether it is to be begun again. */
  const afterBreak = async (executionId: string, error: unknown): Promise<boolean> => {
    if (error instanceof LeaseLost) fail(error);
    if (error instanceof Abandoned || signal.aborted) return false;
    log.warn({ executionId, host: host.name, error: messageOf(error) }, "run broke");
    // Either the host is gone, which this finds out, or the run can be begun again. An engine that
    // answers about one container with a fault may be well otherwise.
    if (error instanceof HostUnreachable && !error.answered) await blameHost(error);
    const broken = (breaks.get(executionId) ?? 0) + 1;
    breaks.set(executionId, broken);
    const pauseMs = backoffMs(BEGIN_AGAIN, broken, Math.random());
    await delay(pauseMs, undefined, { signal }).catch(() => {});
    return true;
  };

  const begin = (execution: ExecutionRow) => {
    const { id } = execution;
    const containers = new ContainerWords();
    const words = {
      stop: new AbortController(),
      drained: new AbortController(),
      withdrawn: new AbortController(),
    };
    if (execution.stopRequestedAt !== null) words.stop.abort();
    if (isDrained) words.drained.abort();
    unstarted.delete(id);
    const run: RunDeps = {
      ...deps,
      unstarted,
      engineWasGone: deps.engineWasGone && isFirstLook && execution.status === "running",
      isTakeOver: isFirstLook,
    };
    const done = runExecution(run, execution, {
      endOf: (containerId) => containers.endOf(containerId),
      stop: words.stop.signal,
      drained: words.drained.signal,
      withdrawn: words.withdrawn.signal,
    })
      .then(() => false)
      .catch((error: unknown) => afterBreak(id, error))
      .then(async (isToBeginAgain) => {
        // Nothing of this run may reach the store once the next one has read where the log ends.
        await sink.takeRest(id).catch(() => {});
        logLimit.forget(id);
        runs.delete(id);
        if (isToBeginAgain) void look();
        else breaks.delete(id);
      });
    runs.set(id, { words, containers, done });
  };

  const lookOnce = coalesced(async () => {
    const before = new Set(runs.keys());
    const executions = await persist(signal, () => executionsOnHost(db, host.name));
    const here = new Set(executions.map(({ id }) => id));
    for (const execution of executions) {
      const run = runs.get(execution.id);
      // One whose run is over since the rows were read is not as they tell: the next look knows.
      if (run === undefined && before.has(execution.id)) void look();
      else if (run === undefined && !signal.aborted) begin(execution);
      else if (execution.stopRequestedAt !== null) run?.words.stop.abort();
    }
    for (const [id, { words }] of runs) if (!here.has(id)) words.withdrawn.abort();
    isFirstLook = false;
  });
  const look = () => lookOnce().catch(fail);

  return {
    look,
    has: (executionId) => runs.has(executionId),
    ids: () => new Set(runs.keys()),
    tellEnd: (executionId, containerId) => runs.get(executionId)?.containers.tellEnd(containerId),
    setDrained(isToBeEmpty) {
      isDrained = isToBeEmpty;
      if (isDrained) for (const { words } of runs.values()) words.drained.abort();
    },
    unstarted,
    async settled() {
      await Promise.allSettled([...runs.values()].map(({ done }) => done));
    },
  };
}
