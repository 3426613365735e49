import { messageOf } from "../core/errors.ts";
import type { ContainerSummary, Host } from "../farm/host.ts";
import { executionIdOf, INSTALLATION_LABEL, isMadeUnder, isOfPlacement } from "../farm/labels.ts";
import { recordReceipt } from "../services/record-receipt.ts";
import type { Db } from "../store/connect.ts";
import { executionsOnHost, findExecutionById } from "../store/executions.ts";
import type { Lease } from "../store/hosts.ts";
import { recordReconciled } from "../store/leftovers.ts";
import type { Log } from "./log.ts";
import { persist } from "./persist.ts";

/** From SIGTERM to SIGKILL of a container that is of no execution any more. */
const GRACE_SECONDS = 10;
const AT_ONCE = 8;

export interface ReconcileDeps {
  host: Host;
  db: Db;
  lease: Lease;
  installation: string;
  log: Log;
  signal: AbortSignal;
  /** Containers whose removal has a receipt already; it is kept up to date. */
  decided: Set<string>;
  /** Whether a run sees to the execution, or did when this began: it removes its container itself. */
  isSeenTo(executionId: string): boolean;
}

/**
 * Holds what is on a host against the rows. A container of ours whose execution is not on this
 * host (it has ended, or has moved) is stopped and removed, with a receipt; of one that has ended
 * its run is told, in case the engine's event was missed. What the rows miss on the host their runs
 * find out.
 */
export async function reconcile(
  deps: ReconcileDeps,
  tellEnded: (executionId: string, containerId: string) => void,
): Promise<void> {
  const { host, db, lease, installation, signal, isSeenTo } = deps;
  // The containers first: one that is created after this has its row on this host by then.
  const containers = await host.list(INSTALLATION_LABEL, installation);
  const executions = await persist(signal, () => executionsOnHost(db, host.name));
  const here = new Map(executions.map((execution) => [execution.id, execution]));
  const strays: ContainerSummary[] = [];
  for (const container of containers) {
    if (!isMadeUnder(host.name, container.labels)) continue;
    const executionId = executionIdOf(container.labels) ?? "";
    const execution = here.get(executionId);
    if (execution !== undefined && isOfPlacement(execution, container.labels)) {
      if (container.phase === "ended") tellEnded(executionId, container.id);
    } else if (!isSeenTo(executionId)) strays.push(container);
  }
  let removed = 0;
  for (let from = 0; from < strays.length; from += AT_ONCE) {
    const some = strays.slice(from, from + AT_ONCE);
    const taken = await Promise.all(some.map((stray) => takeAway(deps, stray)));
    removed += taken.filter(Boolean).length;
  }
  const left = strays.length - removed;
  await persist(signal, () => recordReconciled(db, lease, { left, removed }));
}

/** @returns Whether it is gone. */
async function takeAway(deps: ReconcileDeps, stray: ContainerSummary): Promise<boolean> {
  const { host, db, lease, log, signal, decided } = deps;
  const executionId = executionIdOf(stray.labels);
  const runs = stray.phase === "running";
  const isNew = !decided.has(stray.id);
  decided.add(stray.id);
  if (isNew) {
    const receipt = {
      decision: runs ? ("stopped" as const) : ("removed" as const),
      executionId,
      containerId: stray.id,
      reason: `The container ${runs ? "runs" : `is ${stray.phase}`} and ${
        executionId === null
          ? "is of no execution: it was to show that the host works"
          : (await persist(signal, () => findExecutionById(db, executionId))) === null
            ? "no execution of its id is known: it was begun after the backup that is used now"
            : "its execution is not here: it has ended or moved"
      }`,
    };
    await persist(signal, () => recordReceipt(db, lease, receipt));
    log.info({ host: host.name, ...receipt }, "reconciled");
  }
  try {
    if (runs) await host.stop(stray.id, GRACE_SECONDS);
    await host.remove(stray.id, { force: true });
    decided.delete(stray.id);
    return true;
  } catch (error) {
    const fields = { host: host.name, executionId, containerId: stray.id };
    log.warn({ ...fields, error: messageOf(error) }, "could not remove a container");
    return false;
  }
}
