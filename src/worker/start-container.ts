import { AppError } from "../core/errors.ts";
import { MAX_PLACEMENTS } from "../core/farm.ts";
import { SealedShut } from "../core/keyring.ts";
import {
  type ContainerSpec,
  EngineRefusal,
  HostUnreachable,
  PullAborted,
  PullFailed,
} from "../farm/host.ts";
import { containerNameOf } from "../farm/labels.ts";
import { claimStart, dropClaim } from "../services/claim-execution.ts";
import type { Lease } from "../store/hosts.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { Traces } from "../traces/traces.ts";
import { adopt } from "./adopt-container.ts";
import { containerSpecOf, type SpecDeps } from "./container-spec.ts";
import { begun, failed, type Outcome } from "./outcome.ts";
import { persist } from "./persist.ts";
import { type PullDeps, pullImageOf, type StartSignals } from "./pull-image.ts";
import { type AttemptTrace, traceAttempt } from "./trace-attempt.ts";

export interface StartDeps extends PullDeps, Omit<SpecDeps, "host"> {
  lease: Lease;
  /** There may be one image more on the host. */
  onPulled(): void;
  traces: Traces;
}

/** One attempt, of which is told how it goes. */
interface AttemptDeps extends StartDeps {
  attempt: AttemptTrace;
}

/**
 * Brings an execution to a started container, whatever an earlier owner had done already.
 *
 * Only `inspect` is believed. A container that was created and not started is made anew: should a
 * former owner wake up between its look and its start call, it finds its container's id gone.
 *
 * @throws {HostUnreachable} When it is unknown whether the container has been started.
 */
export async function startContainer(
  startDeps: StartDeps,
  execution: ExecutionRow,
  signals: StartSignals,
): Promise<Outcome> {
  const deps = { ...startDeps, attempt: traceAttempt(startDeps, execution) };
  const isFresh = execution.status === "pulling" && execution.claimedAt === null;
  const known = isFresh ? null : await deps.host.inspect(containerNameOf(execution.id));
  if (known === null && execution.status === "running") {
    return failed("host_lost", "The container is gone: somebody else removed it from the host");
  }
  const adopted =
    known === null
      ? null
      : await adopt(deps, execution, known, (id) => start(deps, id, execution, signals));
  if (adopted !== null) return adopted;
  try {
    return await startNew(deps, execution, signals);
  } catch (error) {
    if (signals.withdrawn.aborted) return { kind: "not ours", container: null };
    if (error instanceof PullAborted && signals.stop.aborted) return STOPPED;
    const outcome = toOutcome(error, execution);
    deps.attempt.waited();
    return outcome;
  }
}

async function startNew(
  deps: AttemptDeps,
  execution: ExecutionRow,
  signals: StartSignals,
): Promise<Outcome> {
  const { db, lease, signal } = deps;
  const spec = containerSpecOf(deps, execution);
  const { pullPolicy } = execution.request;
  const pull = async () => {
    await deps.attempt.part("pull", () => pullImageOf(deps, execution, signals));
    deps.onPulled();
  };
  if (pullPolicy === "always") await pull();
  try {
    return await createAndStart(deps, spec, execution, signals);
  } catch (error) {
    if (pullPolicy !== "missing" || !isNoImage(error)) throw error;
  }
  // The pull can last: meanwhile the execution may be given to another host.
  await persist(signal, () => dropClaim(db, lease, execution.id));
  await pull();
  return await createAndStart(deps, spec, execution, signals);
}

async function createAndStart(
  deps: AttemptDeps,
  spec: ContainerSpec,
  execution: ExecutionRow,
  signals: StartSignals,
): Promise<Outcome> {
  const { host, db, lease, signal, attempt } = deps;
  const isPulledNext = (error: unknown) =>
    execution.request.pullPolicy === "missing" && isNoImage(error);
  const create = () => attempt.part("create", () => host.create(spec), isPulledNext);
  // Both at once: the engine takes longer, so the claim costs no time.
  const [claim, created] = await settled(
    persist(signal, () => claimStart(db, lease, execution.id)),
    create(),
  );
  if (claim === null) return { kind: "not ours", container: created };
  attempt.waited();
  const claimed = { ...execution, ...claim };
  if (created === null) {
    const adopted = await adoptNamed(deps, claimed, signals);
    if (adopted !== null) return adopted;
  }
  // What stood in the way under that name is gone.
  const containerId = created ?? (await create());
  if (containerId === null) {
    const message = "A container of that name was there, went and came again";
    return { kind: "put back", message, isOfHost: false };
  }
  if (signals.stop.aborted) {
    return { ...STOPPED, container: containerId };
  }
  const output = await host.watchOutput(containerId, signal).catch(() => null);
  const outcome = await start(deps, containerId, claimed, signals);
  return outcome.kind === "started" ? { ...outcome, output } : outcome;
}

/** @throws {StartUnknown} When the engine does not answer: the container may have been started. */
async function adoptNamed(
  deps: AttemptDeps,
  execution: ExecutionRow,
  signals: StartSignals,
): Promise<Outcome | null> {
  try {
    const found = await deps.host.inspect(containerNameOf(execution.id));
    const wait = (id: string) => start(deps, id, execution, signals);
    return found === null ? null : await adopt(deps, execution, found, wait);
  } catch (error) {
    throw error instanceof HostUnreachable ? new StartUnknown(error) : error;
  }
}

/** Both results, or the first one's error, but only when neither is under way any more. */
async function settled<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

async function start(
  { host, signal, attempt }: AttemptDeps,
  containerId: string,
  execution: ExecutionRow,
  { stop, withdrawn, drained }: StartSignals,
): Promise<Outcome> {
  const unwanted = AbortSignal.any([stop, withdrawn, drained]);
  try {
    await attempt.part("start", () => host.start(containerId, { signal, unwanted }));
    return begun(containerId, execution.logBase);
  } catch (error) {
    const answered =
      error instanceof EngineRefusal || (error instanceof HostUnreachable && error.answered);
    if (!answered) throw new StartUnknown(error);
    const state = await host.inspect(containerId).catch((lost: unknown) => {
      throw new StartUnknown(lost);
    });
    if (state !== null && state.phase !== "created") {
      return begun(containerId, execution.logBase);
    }
    const outcome = toOutcome(error, execution);
    if (outcome.kind === "put back" && unwanted.aborted) return { ...outcome, isOfHost: false };
    return outcome.kind === "failed" ? { ...outcome, container: containerId } : outcome;
  }
}

/** The engine gave no answer to the start call: only it can tell, once it is back. */
class StartUnknown extends HostUnreachable {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function toOutcome(error: unknown, execution: ExecutionRow): Outcome {
  if (error instanceof StartUnknown) throw error;
  if (error instanceof PullFailed && error.failure !== "registry_busy") {
    return failed(error.failure, error.message);
  }
  // The policy does not allow it any more.
  if (error instanceof AppError) return failed("create_failed", error.message);
  if (error instanceof SealedShut) {
    return failed("create_failed", `Cannot read the variables of the job: ${error.message}`);
  }
  if (error instanceof EngineRefusal) {
    return failed(isNoImage(error) ? "image_not_found" : "create_failed", error.message);
  }
  if (!(error instanceof HostUnreachable || error instanceof PullFailed)) throw error;
  const isLast = execution.placements >= MAX_PLACEMENTS;
  const wasAnswered = error instanceof PullFailed || error.answered;
  if (isLast && wasAnswered) {
    return failed(error instanceof PullFailed ? "pull_failed" : "create_failed", error.message);
  }
  const isOfHost = error instanceof HostUnreachable && !(error instanceof PullAborted);
  return { kind: "put back", message: error.message, isOfHost };
}

/** Among the things that `create` does not find only the words tell which it was. */
function isNoImage(error: unknown): boolean {
  return (
    error instanceof EngineRefusal &&
    error.statusCode === 404 &&
    /no such image/i.test(error.message)
  );
}

/** What is written for it says `stopped`, since the execution was to be. */
const STOPPED = failed("stopped", "Stopped before it was started");
