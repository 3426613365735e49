import { setTimeout as delay } from "node:timers/promises";
import { LineEnds } from "../core/line-ends.ts";
import { LogCursor } from "../core/log-cursor.ts";
import { type ContainerState, type Host, HostUnreachable, type OutputEnds } from "../farm/host.ts";
import type { Db } from "../store/connect.ts";
import { storedLogEnd } from "../store/log-chunks.ts";
import type { LogSink } from "./log-sink.ts";
import { persist } from "./persist.ts";

/** An engine that answers and cannot give the end of a log so often has it no more. */
const READ_END_TRIES = 40;
/** Between two looks at a container whose log ended although it runs. */
const REOPEN_AFTER_MS = 500;
/** A stream that has been silent for so long is opened anew: its path may be gone without a word. */
const SILENT_FOR_MS = 60_000;

export interface FollowDeps {
  host: Host;
  db: Db;
  sink: LogSink;
  /** The node no longer attends to the host. */
  signal: AbortSignal;
}

export interface FollowedContainer {
  executionId: string;
  containerId: string;
  /** Aborted when there is word that the container has ended. */
  ended: AbortSignal;
  /** How many frames of the execution were stored before the container's first one. */
  logBase: number;
  /** Whether another run has stored parts of the log before. */
  isAdopted: boolean;
  /** How its output ends, where it was watched from the start. */
  output: OutputEnds | null;
}

export interface FollowedState extends ContainerState {
  /** Why the end of the log could not be had, where it could not. */
  logFault?: string;
}

/** Where a log is read on, and what is to be put right in it. */
interface Place {
  cursor: LogCursor;
  lineEnds: LineEnds;
}

/**
 * Copies a started container's log to the sink until the container has ended, every frame once.
 *
 * A followed log may lose its unended last line, and its end alone says nothing about the
 * container: so the container is looked at, and the log's end is read once more when it is over.
 *
 * @returns The ended container's state; `null` when the container is no longer there.
 * @throws {HostUnreachable} When the engine does not answer.
 */
export async function followLog(
  deps: FollowDeps,
  container: FollowedContainer,
): Promise<FollowedState | null> {
  const { host, signal } = deps;
  const place = await resumedPlace(deps, container);
  let unread = 0;
  for (;;) {
    await copyFrames(deps, container, place, {
      follow: true,
      signal: AbortSignal.any([signal, container.ended]),
    });
    const state = await host.inspect(container.containerId);
    if (state === null) return null;
    if (state.phase === "ended") {
      const error = await copyFrames(deps, container, place, { follow: false, signal });
      if (error === null) {
        await storeLastNewlines(deps, container, place);
        return state;
      }
      unread += 1;
      if (unread >= READ_END_TRIES) return { ...state, logFault: error.message };
    }
    if (signal.aborted) throw new HostUnreachable(`${host.name}: no longer attended`);
    await delay(REOPEN_AFTER_MS, undefined, { signal }).catch(() => {});
  }
}

/** @returns The error that ended the stream before its time; what came before it is kept. */
async function copyFrames(
  { host, sink }: FollowDeps,
  { executionId, containerId, logBase }: FollowedContainer,
  { cursor, lineEnds }: Place,
  options: { follow: boolean; signal: AbortSignal },
): Promise<HostUnreachable | null> {
  const { since, skip } = cursor.position();
  let toSkip = skip;
  const silent = new AbortController();
  const patience = setTimeout(() => silent.abort(), SILENT_FOR_MS);
  const signal = AbortSignal.any([options.signal, silent.signal]);
  try {
    for await (const frames of host.logs(containerId, { ...options, since, signal })) {
      patience.refresh();
      const fresh = frames.slice(toSkip);
      toSkip -= frames.length - fresh.length;
      if (fresh.length === 0) continue;
      const seq = logBase + cursor.count + 1;
      for (const { at } of fresh) cursor.push(at);
      await sink.append(
        executionId,
        seq,
        fresh.map((frame) => lineEnds.restore(frame)),
      );
    }
    return null;
  } catch (error) {
    if (error instanceof HostUnreachable) return error;
    throw error;
  } finally {
    clearTimeout(patience);
  }
}

async function storeLastNewlines(
  { sink }: FollowDeps,
  { executionId, output, logBase }: FollowedContainer,
  { cursor, lineEnds }: Place,
): Promise<void> {
  const ends = {
    stdout: lineEnds.isOwing("stdout") ? await output?.endedWithNewline("stdout") : null,
    stderr: lineEnds.isOwing("stderr") ? await output?.endedWithNewline("stderr") : null,
  };
  const newlines = lineEnds.atTheEnd((stream) => ends[stream] ?? null);
  if (newlines.length > 0) await sink.append(executionId, logBase + cursor.count + 1, newlines);
}

async function resumedPlace(
  { db, signal }: FollowDeps,
  { executionId, isAdopted, logBase }: FollowedContainer,
): Promise<Place> {
  const lineEnds = new LineEnds();
  if (!isAdopted) return { cursor: new LogCursor(), lineEnds };
  const stored = await persist(signal, () => storedLogEnd(db, executionId, logBase));
  const cursor = new LogCursor(stored.framesBefore);
  for (const frame of stored.frames) {
    cursor.push(frame.at);
    lineEnds.pass(frame);
  }
  return { cursor, lineEnds };
}
