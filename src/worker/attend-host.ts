import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../core/errors.ts";
import { type Host, HostUnreachable } from "../farm/host.ts";
import { INSTALLATION_LABEL } from "../farm/labels.ts";
import { appendLog } from "../services/append-log.ts";
import type { Db } from "../store/connect.ts";
import { executionsOnHost } from "../store/executions.ts";
import { type Lease, LeaseLost, recordReachable } from "../store/hosts.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { coalesced } from "./coalesced.ts";
import type { Log } from "./log.ts";
import { createLogSink } from "./log-sink.ts";
import { Abandoned, persist } from "./persist.ts";
import { reconcile } from "./reconcile.ts";
import { type RunDeps, type RunSignals, runExecution } from "./run-execution.ts";

const LOOK_AT_ENGINE_EVERY_MS = 5_000;
const RECONCILE_EVERY_MS = 30_000;
/** A run that failed by a fault of the engine or of ours is begun again after this. */
const BEGIN_AGAIN_AFTER_MS = 1_000;

export interface AttendDeps {
  host: Host;
  db: Db;
  lease: Lease;
  installation: string;
  log: Log;
  /** The node leaves the host: it stops or has lost the lease. */
  signal: AbortSignal;
  engineWasGone: boolean;
  registries: RunDeps["registries"];
  /** The engine answers: what waits can be given to it. */
  onReachable(): void;
  /** Something has ended that held a slot of a pool. */
  onEnded(pool: string): void;
}

export interface Attendance {
  /** There may be something new for the host in the rows. */
  wake(): void;
  /**
   * Rejects when the host cannot be attended to any longer: `HostUnreachable`, `LeaseLost` or
   * `Abandoned`. All runs have come to rest by then, and none of them writes any more.
   */
  ended: Promise<never>;
}

interface Run {
  words: { [Word in keyof RunSignals]: AbortController };
  done: Promise<void>;
}

/** Sees to all executions on a host that answers, until it does not, or the node leaves it. */
export function attendHost(deps: AttendDeps): Attendance {
  const { host, db, lease, installation, log } = deps;
  const attention = new AbortController();
  const signal = AbortSignal.any([deps.signal, attention.signal]);
  const runs = new Map<string, Run>();
  const failure = Promise.withResolvers<never>();
  const fail = (error: unknown) => {
    attention.abort();
    failure.reject(error);
  };
  const sink = createLogSink({
    store: (segments) => persist(signal, () => appendLog(db, lease, segments)),
    onFailure: fail,
  });

  const begin = (execution: ExecutionRow, isFirstLook: boolean) => {
    const words = {
      containerEnded: new AbortController(),
      stop: new AbortController(),
      withdrawn: new AbortController(),
    };
    const ranMeanwhile = isFirstLook && execution.status === "running";
    const run = { ...deps, signal, sink, engineWasGone: deps.engineWasGone && ranMeanwhile };
    let beginAgain = false;
    if (execution.stopRequestedAt !== null) words.stop.abort();
    const done = runExecution(run, execution, {
      containerEnded: words.containerEnded.signal,
      stop: words.stop.signal,
      withdrawn: words.withdrawn.signal,
    })
      .catch(async (error: unknown) => {
        if (error instanceof LeaseLost) return fail(error);
        if (error instanceof Abandoned || signal.aborted) return;
        log.warn(
          { execution: execution.id, host: host.name, error: messageOf(error) },
          "run broke",
        );
        // Either the host is gone, which this call finds out, or the run can be begun again.
        if (error instanceof HostUnreachable) await host.version().catch(fail);
        await delay(BEGIN_AGAIN_AFTER_MS, undefined, { signal }).catch(() => {});
        beginAgain = true;
      })
      .finally(async () => {
        // Nothing of this run may reach the store once the next one has read where the log ends.
        await sink.takeRest(execution.id).catch(() => {});
        runs.delete(execution.id);
        if (beginAgain) void look();
      });
    runs.set(execution.id, { words, done });
  };

  let isFirstLook = true;
  const lookOnce = coalesced(async () => {
    const executions = await persist(signal, () => executionsOnHost(db, host.name));
    const here = new Set(executions.map(({ id }) => id));
    for (const execution of executions) {
      const run = runs.get(execution.id);
      if (run === undefined && !signal.aborted) begin(execution, isFirstLook);
      else if (execution.stopRequestedAt !== null) run?.words.stop.abort();
    }
    for (const [id, { words }] of runs) if (!here.has(id)) words.withdrawn.abort();
    isFirstLook = false;
  });
  const look = () => lookOnce().catch(fail);
  const tellEnded = (executionId: string) => runs.get(executionId)?.words.containerEnded.abort();

  const everySoOften = async () => {
    let reconciledAt = 0;
    for (;;) {
      const version = await host.version();
      const isHeld = await persist(signal, () => recordReachable(db, lease, version));
      if (!isHeld) throw new LeaseLost(lease);
      if (reconciledAt === 0) deps.onReachable();
      if (performance.now() - reconciledAt > RECONCILE_EVERY_MS || reconciledAt === 0) {
        reconciledAt = performance.now();
        await reconcile({ host, db, installation, log, signal }, tellEnded);
        void look();
      }
      await delay(LOOK_AT_ENGINE_EVERY_MS, undefined, { signal });
    }
  };

  const hearOfEnds = async () => {
    const events = host.events(INSTALLATION_LABEL, installation, {
      signal,
      onOpen: () => void look(),
    });
    for await (const { executionId } of events) {
      if (executionId !== null) tellEnded(executionId);
    }
    throw new HostUnreachable(`${host.name}: the engine ended its events`);
  };

  everySoOften().catch(fail);
  hearOfEnds().catch(fail);
  const leave = () => fail(new Abandoned("The node leaves the host"));
  deps.signal.addEventListener("abort", leave, { once: true, signal: attention.signal });
  if (deps.signal.aborted) leave();

  const ended = failure.promise.catch(async (error: unknown) => {
    await Promise.allSettled([...runs.values()].map(({ done }) => done));
    throw error;
  });
  return { wake: () => void look(), ended };
}
