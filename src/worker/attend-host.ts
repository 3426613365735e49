import { setTimeout as delay } from "node:timers/promises";
import type { BreakerRules } from "../core/farm.ts";
import { type Host, HostUnreachable } from "../farm/host.ts";
import { INSTALLATION_LABEL } from "../farm/labels.ts";
import { cutLog } from "../services/cut-log.ts";
import type { Db } from "../store/connect.ts";
import { recordImages } from "../store/host-images.ts";
import { recordReachable } from "../store/host-state.ts";
import { type HostState, type Lease, LeaseLost } from "../store/hosts.ts";
import { createBreaker } from "./breaker.ts";
import { createHostRuns } from "./host-runs.ts";
import type { Log } from "./log.ts";
import { createLogLimit } from "./log-limit.ts";
import { createLogSink } from "./log-sink.ts";
import type { LogWriter } from "./log-writer.ts";
import { Abandoned, persist } from "./persist.ts";
import { reconcile } from "./reconcile.ts";
import type { RunDeps } from "./run-execution.ts";

const LOOK_AT_ENGINE_EVERY_MS = 5_000;
const RECONCILE_EVERY_MS = 30_000;

export interface AttendDeps {
  host: Host;
  db: Db;
  lease: Lease;
  installation: string;
  log: Log;
  logWriter: LogWriter;
  /** The node leaves the host: it stops or has lost the lease. */
  signal: AbortSignal;
  engineWasGone: boolean;
  /** Containers of no execution here whose removal has a receipt. */
  decided: Set<string>;
  breaker: BreakerRules;
  metrics: RunDeps["metrics"];
  registries: RunDeps["registries"];
  secrets: RunDeps["secrets"];
  pools: RunDeps["pools"];
  traces: RunDeps["traces"];
  /** What is kept of one log at most, of stdout and stderr together. */
  maxLogBytes: number;
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
  /** Whether no execution is seen to. */
  isAtRest(): boolean;
  /** What could not begin, by the engine's silence: it has surely not been started. */
  unstarted: ReadonlySet<string>;
  /**
   * Rejects when the host cannot be attended to any longer: `HostUnreachable`, `LeaseLost` or
   * `Abandoned`. All runs have come to rest by then, and none of them writes any more.
   */
  ended: Promise<never>;
}

/** Sees to all executions on a host that answers, until it does not, or the node leaves it. */
export function attendHost(deps: AttendDeps): Attendance {
  const { db, lease } = deps;
  const attention = new AbortController();
  const signal = AbortSignal.any([deps.signal, attention.signal]);
  const gone = new AbortController();
  // A host that does not answer is given up with all that was asked of it; one that is left is not,
  // and what was asked of it gets done.
  const host = deps.host.until(gone.signal);
  const failure = Promise.withResolvers<never>();
  const fail = (error: unknown) => {
    // What ends because of the first failure is none of its own.
    if (attention.signal.aborted) return;
    attention.abort();
    if (!(error instanceof Abandoned)) gone.abort();
    failure.reject(error);
  };
  const logLimit = createLogLimit((executionId) =>
    persist(signal, () => cutLog(db, lease, executionId, deps.maxLogBytes)),
  );
  const sink = createLogSink({
    async store(segments) {
      await persist(signal, () => deps.logWriter.write({ lease, segments }));
      await logLimit.stored(segments);
    },
    onFailure: fail,
  });
  const breaker = createBreaker({ ...deps, host, signal });
  let imagesAreKnown = false;
  let isSeen = false;
  let lookWanted = Promise.withResolvers<void>();
  const runs = createHostRuns({
    ...deps,
    host,
    signal,
    sink,
    logLimit,
    breaker,
    fail,
    onPulled() {
      imagesAreKnown = false;
    },
  });

  const see = (state: HostState) => {
    breaker.see(state);
    runs.setDrained(state.isDrainOver);
    if (state.isLookWanted) lookWanted.resolve();
  };
  const showReachable = async (version: string) => {
    const state = await persist(signal, () => recordReachable(db, lease, version));
    if (state === null) throw new LeaseLost(lease);
    isSeen = true;
    see(state);
  };
  const reconcileOnce = async () => {
    const before = runs.ids();
    const isSeenTo = (id: string) => before.has(id) || runs.has(id);
    await reconcile({ ...deps, host, signal, isSeenTo }, runs.tellEnd);
    imagesAreKnown = false;
    void runs.look();
  };
  const learnImages = async () => {
    imagesAreKnown = true;
    // Which images there are only helps to place: a host is no worse for not telling.
    const images = await host.images().catch(() => null);
    if (images !== null) await persist(signal, () => recordImages(db, lease, images));
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
        lookWanted = Promise.withResolvers();
      }
      if (!imagesAreKnown) await learnImages();
      if (await breaker.probeIfDue()) deps.onReachable();
      const pauseMs = Math.min(LOOK_AT_ENGINE_EVERY_MS, breaker.probeInMs() ?? Infinity);
      const isAsked = await pauseUnless(lookWanted.promise, Math.max(0, pauseMs), signal);
      if (isAsked) reconciledAt = Number.NEGATIVE_INFINITY;
      const versionNow = await host.version();
      // That it answers is written by the node's heartbeat, for all its hosts together.
      if (versionNow !== version) await showReachable(versionNow);
      version = versionNow;
    }
  };

  const hearOfEnds = async () => {
    const events = host.events(INSTALLATION_LABEL, deps.installation, {
      signal,
      onOpen: () => void runs.look(),
    });
    for await (const { executionId, containerId } of events) {
      if (executionId !== null) runs.tellEnd(executionId, containerId);
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
    await runs.settled();
    throw error;
  });
  return {
    wake: () => void runs.look(),
    see,
    isSeen: () => isSeen,
    isAtRest: () => runs.ids().size === 0,
    unstarted: runs.unstarted,
    ended,
  };
}

/** @returns Whether what it waits for has come before the pause was over. */
async function pauseUnless(wanted: Promise<void>, ms: number, signal: AbortSignal) {
  const over = new AbortController();
  const pause = delay(ms, false, { signal: AbortSignal.any([signal, over.signal]) });
  const isAsked = await Promise.race([wanted.then(() => true), pause]);
  pause.catch(() => {});
  over.abort();
  signal.throwIfAborted();
  return isAsked;
}
