import { endOfProcess, endWithoutProcess } from "../core/end.ts";
import { messageOf } from "../core/errors.ts";
import type { End } from "../core/status.ts";
import { markRunning } from "../services/claim-execution.ts";
import { finishExecution } from "../services/finish-execution.ts";
import { loseExecution } from "../services/lose-execution.ts";
import { putBackExecution } from "../services/put-back-execution.ts";
import { recordReceipt } from "../services/record-receipt.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { Breaker } from "./breaker.ts";
import { endInTime } from "./end-in-time.ts";
import { type FollowDeps, type FollowedState, followLog } from "./follow-log.ts";
import { withMemoryWord } from "./killed-for-memory.ts";
import type { Log } from "./log.ts";
import type { Started } from "./outcome.ts";
import { persist } from "./persist.ts";
import type { StartSignals } from "./pull-image.ts";
import { type StartDeps, startContainer } from "./start-container.ts";

export interface RunDeps extends StartDeps, FollowDeps {
  log: Log;
  /** The engine was out of reach since this node last attended to it: it may have gone down. */
  engineWasGone: boolean;
  /** The node has only now come to the host, or has come back to it. */
  isTakeOver: boolean;
  breaker: Pick<Breaker, "worked" | "failed">;
  /** What has surely not been started is added, before that is written. */
  unstarted: Set<string>;
  onEnded(pool: string): void;
}

/** What a run may be told while it runs. */
export interface RunSignals extends StartSignals {
  /** Aborted when there is word that this container of its has ended. */
  endOf(containerId: string): AbortSignal;
}

/**
 * One execution on its host, from where it stands to its end. It can be left at any point, by a
 * crash as well as by an error, and begun again by whoever owns the host then.
 *
 * @throws {HostUnreachable} The engine does not answer; the execution stays as it is.
 * @throws {LeaseLost} Another node owns the host.
 * @throws {Abandoned} This node was told to leave the host.
 */
export async function runExecution(
  deps: RunDeps,
  execution: ExecutionRow,
  signals: RunSignals,
): Promise<void> {
  const outcome = await startContainer(deps, execution, signals);
  switch (outcome.kind) {
    case "put back":
      return await putBack(deps, execution, outcome);
    case "not ours":
      return await removeContainer(deps, outcome.container);
    case "failed":
      await finish(deps, execution, endWithoutProcess(outcome.cause, outcome.message), null);
      return await removeContainer(deps, outcome.container);
    case "started":
      if (!outcome.isAdopted) await deps.breaker.worked();
      else if (deps.isTakeOver) await receipt(deps, execution, outcome);
      await seeThrough(deps, execution, outcome, signals);
      return await removeContainer(deps, outcome.containerId);
  }
}

async function seeThrough(
  deps: RunDeps,
  execution: ExecutionRow,
  container: Started,
  { endOf: wordOfEnd, stop, drained }: RunSignals,
): Promise<void> {
  const { db, lease, signal } = deps;
  const { id } = execution;
  const { containerId } = container;
  const running = await persist(signal, () => markRunning(db, lease, id, containerId));
  if (running === null) return;
  using _ = endInTime(deps, containerId, { ...running, stop: AbortSignal.any([stop, drained]) });
  const followed = await followLog(deps, {
    ...container,
    executionId: id,
    ended: wordOfEnd(containerId),
  });
  // Who was asked to end is killed by us.
  const isAsked = stop.aborted || drained.aborted;
  const state =
    followed === null || isAsked ? followed : await withMemoryWord(deps.host, followed, signal);
  const end = await endOf(state, deps, execution, container, drained);
  await finish(deps, execution, end, containerId);
}

async function endOf(
  state: FollowedState | null,
  deps: RunDeps,
  execution: ExecutionRow,
  container: Started,
  drained: AbortSignal,
): Promise<End> {
  if (state === null) {
    return endWithoutProcess("host_lost", "The container is gone: somebody else removed it");
  }
  const { failure, engineWasGone = await wasEngineGone(deps, container) } = state;
  if (failure !== undefined) return endWithoutProcess(failure.cause, failure.message);
  // The start that an earlier owner wrote, where the host has forgotten it.
  const startedAt = state.startedAt ?? execution.startedAt;
  const end = endOfProcess(
    { ...state, startedAt },
    { engineWasGone, isDrained: drained.aborted, timeoutSeconds: execution.timeoutSeconds },
  );
  if (state.logFault === undefined) return end;
  const cut = `The end of the log could not be read: ${state.logFault}`;
  const message = end.message === null ? cut : `${end.message}. ${cut}`;
  return { ...end, message, logHasGap: true };
}

/** A run that nobody has left was watched all along. Else the engine knows best, where it can tell. */
async function wasEngineGone(
  { host, engineWasGone }: RunDeps,
  { containerId, isAdopted }: Started,
): Promise<boolean> {
  if (!isAdopted) return false;
  return (await host.restartedSince("start", containerId)) ?? engineWasGone;
}

/** Writes that a container was found here, which another run has started. */
async function receipt(
  { db, lease, signal, engineWasGone }: RunDeps,
  { id }: ExecutionRow,
  { containerId, wasOver }: Started,
): Promise<void> {
  const why = engineWasGone ? "its engine is back" : `lease ${lease.fence} has taken it over`;
  const decided = {
    decision: wasOver ? ("finished" as const) : ("adopted" as const),
    executionId: id,
    containerId,
    reason: `Its container ${wasOver ? "had ended" : "runs"}: ${why}`,
  };
  await persist(signal, () => recordReceipt(db, lease, decided));
}

async function finish(
  deps: RunDeps,
  execution: ExecutionRow,
  end: End,
  containerId: string | null,
): Promise<void> {
  const { db, lease, signal, sink, log } = deps;
  const restOfLog = await sink.takeRest(execution.id);
  if (end.failureCause === "host_lost") {
    const reason = end.message ?? "Its host was lost";
    const lost = { execution: { id: execution.id, containerId }, reason, end, restOfLog };
    const outcome = await persist(signal, () => loseExecution(db, lease, lost));
    deps.onEnded(execution.pool);
    return log.warn({ executionId: execution.id, host: lease.host, reason, outcome }, "lost");
  }
  await persist(signal, () =>
    finishExecution(db, lease, { executionId: execution.id, end, restOfLog }),
  );
  deps.onEnded(execution.pool);
}

async function putBack(
  deps: RunDeps,
  execution: ExecutionRow,
  fault: { message: string; isOfHost: boolean },
): Promise<void> {
  const { db, lease, signal, log } = deps;
  deps.unstarted.add(execution.id);
  // First, so that what is put back finds the circuit open when that was the last straw.
  if (fault.isOfHost) await deps.breaker.failed(fault.message);
  await persist(signal, () => putBackExecution(db, lease, execution, fault));
  log.warn({ executionId: execution.id, host: lease.host, error: fault.message }, "put back");
}

/** The end is written: what is left on the host is of no use, and the next reconciliation finds it. */
async function removeContainer(deps: RunDeps, containerId: string | null): Promise<void> {
  if (containerId === null) return;
  await deps.host.remove(containerId, { force: true }).catch((error: unknown) => {
    const { host } = deps.lease;
    const fields = { host, containerId, error: messageOf(error) };
    deps.log.warn(fields, "could not remove a container");
  });
}
