import { type ContainerState, EngineRefusal, type Host } from "../farm/host.ts";
import { INSTALLATION_LABEL, isOfPlacement } from "../farm/labels.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { adoptedOf, failed, type Outcome } from "./outcome.ts";

const MAY_HAVE_RUN =
  "The host's Docker engine went down while it was to start the container, which may have run";

/**
 * Takes over a container that is there under an execution's name.
 *
 * @param waitForStart For one that was started, and is not known to run.
 * @returns `null` when there was nothing worth keeping, and a container can be created.
 */
export async function adopt(
  { host, installation }: { host: Host; installation: string },
  execution: ExecutionRow,
  found: ContainerState,
  waitForStart: (containerId: string) => Promise<Outcome>,
): Promise<Outcome | null> {
  if (found.labels[INSTALLATION_LABEL] !== installation) {
    return failed("create_failed", "A container of that name is there, and it is not of fastlane");
  }
  if (!isOfPlacement(execution, found.labels)) {
    // Of a placement that was given up as lost: it must not run beside this one.
    await host.remove(found.id, { force: true });
    return null;
  }
  if (found.phase === "starting") return await waitForStart(found.id);
  if (found.phase !== "created") return adoptedOf(found, execution.logBase);
  // An engine that is killed while it starts a container may have run it, and not know that any more.
  if (await host.restartedSince("create", found.id)) {
    return { ...failed("host_lost", MAY_HAVE_RUN), container: found.id };
  }
  // Without force: one that a former owner starts this very moment is refused, and then adopted.
  await host.remove(found.id, { force: false }).catch((error: unknown) => {
    if (!(error instanceof EngineRefusal)) throw error;
  });
  const still = await host.inspect(found.id);
  return still === null ? null : adoptedOf(still, execution.logBase);
}
