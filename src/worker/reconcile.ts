import { messageOf } from "../core/errors.ts";
import type { Host } from "../farm/host.ts";
import { executionIdOf, INSTALLATION_LABEL, isMadeUnder } from "../farm/labels.ts";
import type { Db } from "../store/connect.ts";
import { executionsOnHost } from "../store/executions.ts";
import type { Log } from "./log.ts";
import { persist } from "./persist.ts";

/**
 * Holds what is on a host against the rows. A container of ours whose execution is not on this
 * host (it has ended, or has moved) is removed; of one that has ended its run is told, in case the
 * engine's event was missed. What the rows miss on the host their runs find out.
 */
export async function reconcile(
  deps: { host: Host; db: Db; installation: string; log: Log; signal: AbortSignal },
  tellEnded: (executionId: string) => void,
): Promise<void> {
  const { host, db, installation, log, signal } = deps;
  // The containers first: one that is created after this has its row on this host by then.
  const containers = await host.list(INSTALLATION_LABEL, installation);
  const executions = await persist(signal, () => executionsOnHost(db, host.name));
  const here = new Set(executions.map(({ id }) => id));
  for (const container of containers) {
    if (!isMadeUnder(host.name, container.labels)) continue;
    const executionId = executionIdOf(container.labels);
    if (executionId !== null && here.has(executionId)) {
      if (container.phase === "ended") tellEnded(executionId);
      continue;
    }
    log.info({ host: host.name, containerId: container.id, execution: executionId }, "removed");
    await host.remove(container.id, { force: true }).catch((error: unknown) => {
      log.warn({ containerId: container.id, error: messageOf(error) }, "could not remove");
    });
  }
}
