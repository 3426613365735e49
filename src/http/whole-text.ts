import { AppError } from "../core/errors.ts";
import type { LogStream } from "../core/log-streams.ts";
import { isOpen } from "../store/executions.ts";
import { placeOfByte, sizeOfStream } from "../store/log-places.ts";
import { readText } from "../store/read-text.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { byteRangeOf, isKnown } from "./byte-range.ts";
import type { HttpContext, HttpDeps } from "./context.ts";
import { gapBytes } from "./log-messages.ts";
import { BETWEEN_STREAMS, bytesOfText, type PartDeps } from "./log-parts.ts";
import type { LogQuery } from "./log-query.ts";
import { bodyOf } from "./text-body.ts";

type Parts = AsyncGenerator<Uint8Array>;

/** A part of a text that can be read from any of its bytes on. */
interface Section {
  size: number;
  read(from: number): Parts;
}

/** What is no larger comes with its length; Bun sends a stream without one. */
const AT_ONCE_BYTES = 256 * 1024;

/** Whether the text is all of a log that no longer changes, so that its bytes can be numbered. */
export function isWholeText({ status }: ExecutionRow, query: LogQuery): boolean {
  const { format, tail, since, isFollowing } = query;
  return !isOpen(status) && format === "text" && tail === null && since === null && !isFollowing;
}

/** All of the text, or the range of it that is asked for. */
export async function wholeTextAnswer(
  deps: PartDeps & Pick<HttpDeps, "log">,
  c: HttpContext,
  { id }: ExecutionRow,
  { streams }: LogQuery,
  headers: Record<string, string>,
): Promise<Response> {
  const ofStreams = await Promise.all(streams.map((stream) => sectionOf(deps.db, id, stream)));
  const sections = ofStreams.flatMap((each, index) => (index === 0 ? [each] : [BETWEEN, each]));
  const size = sections.reduce((sum, section) => sum + section.size, 0);
  const tag = `"${id}-${streams.join("-")}-${size}"`;
  const about = { ...headers, "accept-ranges": "bytes", etag: tag };
  if (isKnown(c.req.header("if-none-match"), tag)) return c.body(null, 304, about);

  const length = (bytes: number) => ({ "content-length": String(bytes) });
  if (c.req.method === "HEAD") return c.body(null, 200, { ...about, ...length(size) });
  const range = rangeOf(c, tag, size);
  const { start, end } = range ?? { start: 0, end: size };
  const parts = readSections(sections, start, end);
  const body = end - start > AT_ONCE_BYTES ? bodyOf(deps, parts) : await joined(parts);
  if (range === null) return c.body(body, 200, { ...about, ...length(size) });
  const place = { "content-range": `bytes ${start}-${end - 1}/${size}` };
  return c.body(body, 206, { ...about, ...place, ...length(end - start) });
}

/** @throws {AppError} `range_not_satisfiable` */
function rangeOf(c: HttpContext, tag: string, size: number) {
  const condition = c.req.header("if-range");
  if (condition !== undefined && condition !== tag) return null;
  const range = byteRangeOf(c.req.header("range"), size);
  if (range !== "beyond") return range;
  c.header("content-range", `bytes */${size}`);
  throw new AppError(
    "range_not_satisfiable",
    `"Range" asks for nothing that is there: the text has ${size} bytes`,
  );
}

const BETWEEN: Section = {
  size: BETWEEN_STREAMS.length,
  async *read(from) {
    yield BETWEEN_STREAMS.subarray(from);
  },
};

async function sectionOf(
  db: PartDeps["db"],
  executionId: string,
  stream: LogStream,
): Promise<Section> {
  const { bytes, holes } = await sizeOfStream(db, executionId, stream);
  const gaps = holes.map((hole) => ({ at: hole.bytesBefore, length: gapBytes(hole).length }));
  return {
    size: gaps.reduce((sum, { length }) => sum + length, bytes),
    async *read(from) {
      const { offset, skip } = storedOffset(gaps, from);
      const place = await placeOfByte(db, executionId, stream, offset);
      yield* skipped(bytesOfText(readText(db, executionId, [stream], place)), skip);
    },
  };
}

/** Where in what is stored a byte of the text is, and how many of the gap's own are before it. */
function storedOffset(gaps: readonly { at: number; length: number }[], from: number) {
  let passed = 0;
  let passedHere = { at: 0, length: 0 };
  for (const { at, length } of gaps) {
    const inside = Math.min(length, from - at - passed);
    if (inside <= 0) break;
    passed += inside;
    passedHere = { at, length: inside + (passedHere.at === at ? passedHere.length : 0) };
  }
  // What is stored is read from before the gaps that are there, also from before those passed.
  const offset = from - passed;
  return { offset, skip: passedHere.at === offset ? passedHere.length : 0 };
}

async function* readSections(sections: readonly Section[], start: number, end: number): Parts {
  let begin = 0;
  for (const { size, read } of sections) {
    const from = Math.max(0, start - begin);
    const to = Math.min(size, end - begin);
    if (from < to) yield* exactly(read(from), to - from);
    begin += size;
  }
}

/** Leaves out the first bytes. */
async function* skipped(parts: Parts, bytes: number): Parts {
  let toSkip = bytes;
  for await (const part of parts) {
    if (part.length > toSkip) yield part.subarray(toSkip);
    toSkip = Math.max(0, toSkip - part.length);
  }
}

/** @throws {Error} If there are fewer: what is cut off must not look whole. */
async function* exactly(parts: Parts, bytes: number): Parts {
  let left = bytes;
  for await (const part of parts) {
    yield part.subarray(0, left);
    left -= part.length;
    if (left <= 0) return;
  }
  throw new Error(`Cannot send the last ${left} bytes of a log: they are no longer kept`);
}

async function joined(parts: Parts): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(Buffer.concat(await Array.fromAsync(parts)));
}
