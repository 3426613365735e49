import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import type { LogStream } from "../core/log-streams.ts";
import { FAILURE_CAUSES, STATUSES } from "../core/status.ts";
import type { Client } from "./client.ts";
import { ClientError } from "./client-error.ts";
import { createEventReader, type ServerEvent } from "./event-blocks.ts";
import { type ClientFrame, type FrameGap, frameOf } from "./frames.ts";

const State = v.looseObject({
  executionId: v.string(),
  status: v.picklist(STATUSES),
  exitCode: v.nullable(v.number()),
  failureCause: v.nullable(v.picklist(FAILURE_CAUSES)),
  message: v.nullable(v.string()),
});
/** What changes of an execution while it runs. */
export type State = v.InferOutput<typeof State>;
const Told = v.looseObject({ status: State });

/** `done` is the last event: the execution has ended, and all of its log was told. */
export type ExecutionEvent =
  | ClientFrame
  | FrameGap
  | { kind: "status"; state: State }
  | { kind: "done"; state: State };

export interface FollowOptions {
  /** The number of the frame behind which to begin; 0 is the beginning. */
  after?: number;
  streams: readonly LogStream[];
  signal?: AbortSignal;
  /** The server is not to be had just now; told once until `onBack`. */
  onAway?(why: ClientError): void;
  onBack?(): void;
}

/** The server says something every 15 s: whoever is silent for so long is not there. */
const SILENT_MS = 45_000;
const PAUSE_MS = { first: 250, most: 5_000 };

/**
 * An execution's log and state as they come, in groups, to the end: without loss or repeat, however
 * often the connection breaks or the server is away.
 *
 * @param path Of the execution, with a slash at its end.
 * @throws {ClientError} When the server will not tell it: it does not know it, or who asks.
 */
export async function* followExecution(
  client: Client,
  path: string,
  { after = 0, streams, signal, onAway, onBack }: FollowOptions,
): AsyncGenerator<ExecutionEvent[]> {
  let place = after;
  let isAway = false;
  let pauseMs = PAUSE_MS.first;
  for (;;) {
    try {
      for await (const group of connection(client, path, place, streams, signal)) {
        if (isAway) onBack?.();
        isAway = false;
        pauseMs = PAUSE_MS.first;
        const fresh = group.filter((event) => !("seq" in event) || event.seq > place);
        for (const event of fresh) if ("seq" in event) place = event.seq;
        yield fresh;
        if (fresh.some(({ kind }) => kind === "done")) return;
      }
      throw new ClientError(`${client.url} broke off the log`, { isPassing: true });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ClientError) || !mayPass(error)) throw error;
      if (!isAway) onAway?.(error);
      isAway = true;
    }
    await delay(pauseMs * (0.75 + Math.random() / 2), undefined, signal ? { signal } : {});
    pauseMs = Math.min(PAUSE_MS.most, pauseMs * 2);
  }
}

function mayPass({ isPassing, status }: ClientError): boolean {
  return isPassing || (status !== null && (status >= 500 || status === 429));
}

/** What comes over one connection. The first group is empty, and tells that there is one. */
async function* connection(
  client: Client,
  path: string,
  after: number,
  streams: readonly LogStream[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ExecutionEvent[]> {
  const silence = new AbortController();
  const signals = [silence.signal, ...(signal === undefined ? [] : [signal])];
  const timer = setTimeout(() => silence.abort(), SILENT_MS);
  try {
    const response = await client.open(`${path}events/`, {
      headers: { accept: "text/event-stream", "last-event-id": String(after) },
      query: { stream: streams, exact: true },
      signal: AbortSignal.any(signals),
    });
    if (response.headers.get("content-type")?.startsWith("text/event-stream") !== true) {
      throw new ClientError(`${client.url} does not speak fastlane's contract: it has no events`);
    }
    yield [];
    const read = createEventReader();
    for (const reader = bodyOf(response).getReader(); ; ) {
      timer.refresh();
      const { done, value } = await reader.read();
      if (done) return;
      const group = read(value).flatMap((event) => eventsOf(client, event));
      if (group.length > 0) yield group;
    }
  } catch (error) {
    if (error instanceof ClientError) throw error;
    signal?.throwIfAborted();
    throw new ClientError(`The connection to ${client.url} was broken off`, {
      isPassing: true,
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function bodyOf({ body }: Response): ReadableStream<Uint8Array> {
  return body ?? new ReadableStream({ start: (controller) => controller.close() });
}

/** Events of a later server, which are not known here, are passed over. */
function eventsOf(client: Client, { name, data }: ServerEvent): ExecutionEvent[] {
  if (name === "log" || name === "gap") {
    const frame = frameOf(data);
    if (frame !== null) return [frame];
    throw new ClientError(`${client.url} does not speak fastlane's contract: a frame of the log`);
  }
  if (name !== "status" && name !== "done") return [];
  const told = v.safeParse(Told, JSON.parse(data));
  if (told.success) return [{ kind: name, state: told.output.status }];
  throw new ClientError(`${client.url} does not speak fastlane's contract: a state`);
}
