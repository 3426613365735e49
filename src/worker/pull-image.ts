import { registryOf } from "../core/image-reference.ts";
import type { Live } from "../core/live.ts";
import { type Host, PullAborted, PullFailed, type RegistryLogin } from "../farm/host.ts";
import { failedLine } from "../farm/pull-lines.ts";
import type { Db } from "../store/connect.ts";
import { lastStoredFrame } from "../store/log-chunks.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { LogSink } from "./log-sink.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { persist } from "./persist.ts";

export interface PullDeps {
  host: Host;
  db: Db;
  sink: LogSink;
  /** The logins of the configuration, by their names. */
  registries: Live<Readonly<Record<string, RegistryLogin>>>;
  /** The node no longer attends to the host. */
  signal: AbortSignal;
  metrics: Pick<WorkerMetrics, "pulled">;
}

/** What an attempt may be told while it lasts. */
export interface StartSignals {
  /** The execution is to be stopped. */
  stop: AbortSignal;
  /** The host is to be empty: what runs is stopped, what has not begun goes elsewhere. */
  drained: AbortSignal;
  /** The execution has ended already, or is another's: what is pulled for it is of no use. */
  withdrawn: AbortSignal;
}

/**
 * Has an execution's image pulled, for no longer than the execution may last. How it goes on is
 * stored in the execution's log, behind what is there, when this is over: a claim counts that.
 *
 * @throws {PullFailed} {PullAborted} As the host does.
 */
export async function pullImageOf(
  deps: PullDeps,
  { id, pool, request, timeoutSeconds }: ExecutionRow,
  { stop, withdrawn, drained }: StartSignals,
): Promise<void> {
  const { host, db, sink, signal } = deps;
  let seq = 1 + (await persist(signal, () => lastStoredFrame(db, id)));
  const onProgress = (lines: Parameters<LogSink["append"]>[2]) => {
    if (lines.length === 0) return;
    // One that fails is told of by the flush.
    void sink.append(id, seq, lines).catch(() => {});
    seq += lines.length;
  };
  const overtime = new AbortController();
  const timer = setTimeout(() => overtime.abort(), timeoutSeconds * 1_000);
  const begunAt = performance.now();
  const tell = (outcome: Parameters<WorkerMetrics["pulled"]>[1]) =>
    deps.metrics.pulled(pool, outcome, (performance.now() - begunAt) / 1_000);
  try {
    await host.pull({
      image: request.image,
      login: loginFor(deps, request),
      signal: AbortSignal.any([signal, withdrawn, stop, drained, overtime.signal]),
      onProgress,
    });
    tell("ok");
  } catch (error) {
    tell(error instanceof PullAborted && !overtime.signal.aborted ? "aborted" : "failed");
    if (!(error instanceof PullAborted && overtime.signal.aborted)) throw error;
    const message = `The pull of "${request.image}" took longer than ${timeoutSeconds} s, the execution's timeout, and was given up`;
    onProgress([failedLine(message)]);
    throw new PullFailed("pull_failed", message);
  } finally {
    clearTimeout(timer);
    if (!withdrawn.aborted) await sink.flush(id);
  }
}

/** The login that was named, else that of the image's registry. */
export function loginFor(
  { registries }: Pick<PullDeps, "registries">,
  { image, registryAuth: name }: ExecutionRow["request"],
): RegistryLogin | null {
  const all = registries.current();
  const logins = name === undefined ? Object.values(all) : [all[name]];
  return logins.find((login) => login?.registry === registryOf(image)) ?? null;
}
