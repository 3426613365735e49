import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../core/errors.ts";
import type { BreakerRules } from "../core/farm.ts";
import { type Host, HostUnreachable } from "../farm/host.ts";
import { INSTALLATION_LABEL } from "../farm/labels.ts";
import type { Db } from "../store/connect.ts";
import { executionsOnHost } from "../store/executions.ts";
import { recordImages } from "../store/host-images.ts";
import { recordReachable } from "../store/host-state.ts";
import { type HostState, type Lease, LeaseLost } from "../store/hosts.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { createBreaker } from "./breaker.ts";
import { coalesced } from "./coalesced.ts";
import type { Log } from "./log.ts";
import { createLogSink } from "./log-sink.ts";
import type { LogWriter } from "./log-writer.ts";
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
  logWriter: LogWriter;
  log: Log;
  /** The node leaves the host: it stops or has lost the lease. */
  signal: AbortSignal;
  engineWasGone: boolean;
  breaker: BreakerRules;
  registries: RunDeps["registries"];
  /** The engine answers: what waits can be given to it. */
  onReachable(): void;
  /** Something has ended that held a slot of a pool. */
  onEnded(pool: string): void;
}

export interface Attendance {
  /** There may be something new for the host in the rows. */
  wake(): void;
  /** The host's row has been read. */
  see(state: HostState): void;
  /** Whether the engine answered when it was asked last. */
  isSeen(): boolean;
  /** What could not begin, by the engine's silence: it has surely not been started. */
  unstarted: ReadonlySet<string>;
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
  const { db, lease, log } = deps;
  const attention = new AbortController();
  const signal = AbortSignal.any([deps.signal, attention.signal]);
  const gone = new AbortController();
  // A host that does not answer is given up with all that was asked of it; one that is left is not,
  // and what was asked of it gets done.
  const host = deps.host.until(gone.signal);
  const runs = new Map<string, Run>();
  const failure = Promise.withResolvers<never>();
  const fail = (error: unknown) => {
    attention.abort();
    if (!(error instanceof Abandoned)) gone.abort();
    failure.reject(error);
  };
  const sink = createLogSink({
    store: (segments) => persist(signal, () => deps.logWriter.write({ lease, segments })),
    onFailure: fail,
  });
  const breaker = createBreaker({ ...deps, host, signal });
  const decided = new Set<string>();
  const unstarted = new Set<string>();
  let imagesAreKnown = false;
  let isSeen = false;

  const begin = (execution: ExecutionRow, isFirstLook: boolean) => {
    const words = {
      containerEnded: new AbortController(),
      stop: new AbortController(),
      drained: new AbortController(),
      withdrawn: new AbortController(),
    };
    const ranMeanwhile = isFirstLook && execution.status === "running";
    const run = {
      ...deps,
      host,
      signal,
      sink,
      breaker,
      unstarted,
      engineWasGone: deps.engineWasGone && ranMeanwhile,
      onPulled() {
        imagesAreKnown = false;
      },
    };
    let beginAgain = false;
    unstarted.delete(execution.id);
    if (execution.stopRequestedAt !== null) words.stop.abort();
    const done = runExecution(run, execution, {
      containerEnded: words.containerEnded.signal,
      stop: words.stop.signal,
      drained: words.drained.signal,
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
        if (error instanceof HostUnreachable) await blameHost(error);
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

  const blameHost = (error: HostUnreachable) =>
    host
      .version()
      .then(() => breaker.failed(error.message))
      .catch(fail);

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

  const see = (state: HostState) => {
    breaker.see(state);
    if (state.isDrainOver) for (const { words } of runs.values()) words.drained.abort();
  };
  const showReachable = async (version: string) => {
    const state = await persist(signal, () => recordReachable(db, lease, version));
    if (state === null) throw new LeaseLost(lease);
    isSeen = true;
    see(state);
  };
  const reconcileOnce = async () => {
    await reconcile({ ...deps, host, signal, decided }, tellEnded);
    imagesAreKnown = false;
    void look();
  };
  const everySoOften = async () => {
    // First of all: what is left of executions that have moved must not meet their next containers.
    let version = await host.version();
    await reconcileOnce();
    let reconciledAt = performance.now();
    await showReachable(version);
    // It was out of reach, and is not any more: that is over. What else it failed at may not be.
    if (deps.engineWasGone && breaker.probeInMs() === null) await breaker.worked();
    deps.onReachable();
    for (;;) {
      if (performance.now() - reconciledAt > RECONCILE_EVERY_MS) {
        await reconcileOnce();
        reconciledAt = performance.now();
      }
      if (!imagesAreKnown) {
        imagesAreKnown = true;
        const images = await host.images();
        await persist(signal, () => recordImages(db, lease, images));
      }
      if (await breaker.probeIfDue()) deps.onReachable();
      const pauseMs = Math.min(LOOK_AT_ENGINE_EVERY_MS, breaker.probeInMs() ?? Infinity);
      await delay(Math.max(0, pauseMs), undefined, { signal });
      const versionNow = await host.version();
      // That it answers is written by the node's heartbeat, for all its hosts together.
      if (versionNow !== version) await showReachable(versionNow);
      version = versionNow;
    }
  };

  const hearOfEnds = async () => {
    const events = host.events(INSTALLATION_LABEL, deps.installation, {
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
    isSeen = false;
    await Promise.allSettled([...runs.values()].map(({ done }) => done));
    throw error;
  });
  return { wake: () => void look(), see, isSeen: () => isSeen, unstarted, ended };
}
