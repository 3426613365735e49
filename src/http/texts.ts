import { AppError } from "../core/errors.ts";
import { LOG_STREAMS, type LogStream } from "../core/log-frames.ts";
import { LOG_BEGIN, placeOfTail, readStream } from "../store/read-log.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { followLog } from "../stream/follow.ts";
import type { HttpContext, HttpDeps } from "./context.ts";
import { truthOf, wholeNumberOf } from "./query.ts";

const BETWEEN_STREAMS = new TextEncoder().encode("\n-=-\n");
const MAX_TAIL = 1_000_000;

export type TextKind = "logs" | LogStream;
type TextDeps = Pick<HttpDeps, "db" | "hints" | "stopping">;

/**
 * A log as plain text: one stream, or both of the container with the reference's line between them.
 * `?stream=` of both gives one alone, and is the way to that of the pull. `?tail=N` gives the last
 * lines of each stream; `?follow=true` goes on until the end, both streams in the order in which
 * they were written.
 */
export async function textAnswer(
  deps: TextDeps,
  c: HttpContext,
  row: ExecutionRow,
  route: TextKind,
): Promise<Response> {
  const kind = route === "logs" ? streamOf(c) : route;
  const lines = wholeNumberOf(c, "tail", { min: 1, max: MAX_TAIL, absent: null });
  const isFollowing = truthOf(c, "follow");
  if (isFollowing) c.env.mayBeSilent();
  const parts = isFollowing
    ? followed(deps, c, row, kind, lines)
    : kind === "logs"
      ? bothStreams(deps, row, lines)
      : oneStream(deps, row, kind, lines);
  const headers = new Headers({
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
  });
  if (row.exitCode !== null) headers.set("fastlane-exit-code", String(row.exitCode));
  return c.body(bodyOf(parts), { headers });
}

function streamOf(c: HttpContext): TextKind {
  const text = c.req.query("stream");
  if (text === undefined) return "logs";
  const stream = LOG_STREAMS.find((known) => known === text);
  if (stream !== undefined) return stream;
  throw new AppError("query_invalid", '"stream" must be stdout, stderr or pull');
}

async function* oneStream(
  { db }: TextDeps,
  { id }: ExecutionRow,
  stream: LogStream,
  lines: number | null,
): AsyncGenerator<Uint8Array> {
  const from = lines === null ? LOG_BEGIN : await placeOfTail(db, id, [stream], lines);
  yield* readStream(db, id, stream, from);
}

async function* bothStreams(
  deps: TextDeps,
  row: ExecutionRow,
  lines: number | null,
): AsyncGenerator<Uint8Array> {
  yield* oneStream(deps, row, "stdout", lines);
  yield BETWEEN_STREAMS;
  yield* oneStream(deps, row, "stderr", lines);
}

async function* followed(
  deps: TextDeps,
  c: HttpContext,
  { id }: ExecutionRow,
  kind: TextKind,
  lines: number | null,
): AsyncGenerator<Uint8Array> {
  const streams: LogStream[] = kind === "logs" ? ["stdout", "stderr"] : [kind];
  const from = lines === null ? LOG_BEGIN : await placeOfTail(deps.db, id, streams, lines);
  const signal = AbortSignal.any([deps.stopping, c.req.raw.signal]);
  yield* followLog(deps, id, { streams, from }, signal);
}

/** A body that asks the store for more only when the client has taken what it has. */
function bodyOf(parts: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
}
