import type { LogStream } from "../core/log-streams.ts";
import { isOpen } from "../store/executions.ts";
import { lastStoredFrame } from "../store/log-chunks.ts";
import { frameOfTail, laterOf, placeOfTime } from "../store/log-places.ts";
import { LOG_BEGIN, type LogPlace, placeOfTail } from "../store/read-log.ts";
import { readText, type TextPart } from "../store/read-text.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { HttpDeps } from "./context.ts";
import { bytesOf, gapBytes, linesOf } from "./log-messages.ts";
import type { LogQuery } from "./log-query.ts";
import { unlessAborted } from "./text-body.ts";

export type PartDeps = Pick<HttpDeps, "db" | "logs">;
type Parts = AsyncGenerator<Uint8Array>;

/** Between stdout and stderr, as the reference has it. */
export const BETWEEN_STREAMS = new TextEncoder().encode("\n-=-\n");

/** What has been written to each stream, one after the other. */
export async function* writtenText({ db }: PartDeps, { id }: ExecutionRow, query: LogQuery): Parts {
  for (const [index, stream] of query.streams.entries()) {
    if (index > 0) yield BETWEEN_STREAMS;
    yield* bytesOfText(readText(db, id, [stream], await beginOf(db, id, [stream], query)));
  }
}

export async function* bytesOfText(parts: AsyncGenerator<TextPart>): Parts {
  for await (const part of parts) yield "hole" in part ? gapBytes(part.hole) : part.data;
}

/** What has been and will be written, the streams as one, until the end. */
export async function* followedText(
  deps: PartDeps,
  { id }: ExecutionRow,
  query: LogQuery,
  signal: AbortSignal,
): Parts {
  let { after, skipBytes } = await beginOf(deps.db, id, query.streams, query);
  while (!signal.aborted) {
    const block = await unlessAborted(deps.logs.next(id, after), signal);
    if (block === null) continue;
    const bytes = bytesOf(block, query.streams);
    if (bytes.length > skipBytes) yield bytes.subarray(skipBytes);
    skipBytes = Math.max(0, skipBytes - bytes.length);
    if (block.isLast) return;
    after = block.to;
  }
}

/** Frames as lines of JSON: those that are there, or when following all until the end. */
export async function* frameLines(
  deps: PartDeps,
  row: ExecutionRow,
  query: LogQuery,
  signal: AbortSignal,
): Parts {
  const isWhole = query.isFollowing || !isOpen(row.status);
  const end = isWhole ? Number.POSITIVE_INFINITY : await lastStoredFrame(deps.db, row.id);
  let after = await frameBefore(deps, row, query);
  while (after < end && !signal.aborted) {
    const block = await unlessAborted(deps.logs.next(row.id, after), signal);
    if (block === null) continue;
    const lines = linesOf(block, query);
    if (lines.length > 0) yield lines;
    if (block.isLast) return;
    after = block.to;
  }
}

async function beginOf(
  db: PartDeps["db"],
  executionId: string,
  streams: readonly LogStream[],
  { tail, since }: LogQuery,
): Promise<LogPlace> {
  const [ofTail, ofTime] = await Promise.all([
    tail === null ? LOG_BEGIN : placeOfTail(db, executionId, streams, tail),
    since === null ? null : placeOfTime(db, executionId, streams, since),
  ]);
  return laterOf(ofTail, ofTime?.place ?? LOG_BEGIN);
}

async function frameBefore(
  { db }: PartDeps,
  { id }: ExecutionRow,
  { streams, tail, since, after }: LogQuery,
): Promise<number> {
  const [ofTail, ofTime] = await Promise.all([
    tail === null ? 0 : frameOfTail(db, id, streams, tail),
    since === null ? null : placeOfTime(db, id, streams, since),
  ]);
  return Math.max(after, ofTail, ofTime?.frame ?? 0);
}
