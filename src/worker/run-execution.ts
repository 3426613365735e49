import { endOfProcess, endWithoutProcess } from "../core/end.ts";
import { messageOf } from "../core/errors.ts";
import type { End } from "../core/status.ts";
import { markRunning } from "../services/claim-execution.ts";
import { finishExecution } from "../services/finish-execution.ts";
import { putBackExecution } from "../services/put-back-execution.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { endInTime } from "./end-in-time.ts";
import { type FollowDeps, followLog } from "./follow-log.ts";
import type { Log } from "./log.ts";
import { persist } from "./persist.ts";
import {
  type StartDeps,
  type Started,
  type StartSignals,
  startContainer,
} from "./start-container.ts";

export interface RunDeps extends StartDeps, FollowDeps {
  log: Log;
  /** The engine was out of reach since this node last attended to it. */
  engineWasGone: boolean;
  onEnded(pool: string): void;
}

/** What a run may be told while it runs. */
export interface RunSignals extends StartSignals {
  /** There is word that its container has ended. */
  containerEnded: AbortSignal;
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
      return await putBack(deps, execution, outcome.fault);
    case "not ours":
      return await removeContainer(deps, outcome.container);
    case "failed":
      await finish(deps, execution, endWithoutProcess(outcome.cause, outcome.message));
      return await removeContainer(deps, outcome.container);
    case "started":
      await seeThrough(deps, execution, outcome, signals);
      return await removeContainer(deps, outcome.containerId);
  }
}

async function seeThrough(
  deps: RunDeps,
  execution: ExecutionRow,
  container: Started,
  { containerEnded, stop }: RunSignals,
): Promise<void> {
  const { db, lease, signal } = deps;
  const { id, timeoutSeconds } = execution;
  const { containerId } = container;
  const running = await persist(signal, () => markRunning(db, lease, id, containerId));
  if (running === null) return;
  using _ = endInTime(deps, containerId, { ...running, stop });
  const state = await followLog(deps, { ...container, executionId: id, ended: containerEnded });
  const end =
    state === null
      ? endWithoutProcess("host_lost", "The container is gone: somebody else removed it")
      : endOfProcess(state, { engineWasGone: deps.engineWasGone, timeoutSeconds });
  await finish(deps, execution, end);
}

async function finish(deps: RunDeps, execution: ExecutionRow, end: End): Promise<void> {
  const { db, lease, signal, sink, log } = deps;
  const restOfLog = await sink.takeRest(execution.id);
  const ended = await persist(signal, () =>
    finishExecution(db, lease, { executionId: execution.id, end, restOfLog }),
  );
  deps.onEnded(execution.pool);
  const { status, failureCause, exitCode } = ended ?? end;
  log.info({ execution: execution.id, host: lease.host, status, failureCause, exitCode }, "ended");
}

async function putBack(deps: RunDeps, execution: ExecutionRow, fault: string): Promise<void> {
  const { db, lease, signal, log } = deps;
  await persist(signal, () => putBackExecution(db, lease, execution, fault));
  log.warn({ execution: execution.id, host: lease.host, fault }, "put back");
}

/** The end is written: what is left on the host is of no use, and the next reconciliation finds it. */
async function removeContainer(deps: RunDeps, containerId: string | null): Promise<void> {
  if (containerId === null) return;
  await deps.host.remove(containerId, { force: true }).catch((error: unknown) => {
    deps.log.warn({ containerId, error: messageOf(error) }, "could not remove a container");
  });
}
