import { messageOf } from "../core/errors.ts";
import { findExecutionById, isOpen } from "../store/executions.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { LogBlock } from "../stream/log-reader.ts";
import type { HttpDeps } from "./context.ts";
import { type LogForm, messagesOf } from "./log-messages.ts";
import { DONE } from "./log-options.ts";
import { unlessAborted } from "./text-body.ts";
import { stateView } from "./views.ts";

export type LogEventDeps = Pick<HttpDeps, "db" | "logs" | "watch" | "log">;

export interface LogEventOptions extends Pick<LogForm, "streams" | "isExact"> {
  /** The number of the frame behind which to begin; 0 is the beginning. */
  after: number;
}

/** What comes first: a look at the state, or more of the log. */
interface News {
  row: ExecutionRow | null;
  block: LogBlock | null;
}

/** How long a client waits before it comes again. */
const RETRY_MS = 1_000;
/** Proxies take a connection that says nothing for so long for dead. */
const SILENT_MS = 15_000;
/** A part is not longer, in UTF-16 units, unless a single event is. */
const PART_LENGTH = 64 * 1024;

/** What a client is told that cannot be told anything just now: it comes again. */
export const COME_AGAIN = `retry: ${RETRY_MS}\n\n`;

/**
 * An execution's log and state as server-sent events, in parts that are made one at a time as they
 * are asked for; between two of them nothing is held but a number and a row.
 *
 * @param signal Ends it early: the client comes again, and goes on from where it was.
 */
export async function* logEvents(
  deps: LogEventDeps,
  execution: ExecutionRow,
  options: LogEventOptions,
  signal: AbortSignal,
): AsyncGenerator<string> {
  yield COME_AGAIN;
  try {
    yield* eventsBehind(deps, execution, options, signal);
  } catch (error) {
    if (signal.aborted) return;
    // The store is away, or this is a bug: either way the client does well to come again.
    const fields = { executionId: execution.id, error: messageOf(error) };
    deps.log.error(fields, "could not go on with server-sent events");
  }
}

async function* eventsBehind(
  { db, logs, watch }: LogEventDeps,
  execution: ExecutionRow,
  { after, streams, isExact }: LogEventOptions,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const form: LogForm = { format: "json", isBatch: false, streams, isExact };
  let { next: look, state } = await looking({ db, watch }, execution);
  yield eventOf("status", state);
  let place = after;
  // Weakly, since the client may be slow to take what it has: then it is read again.
  let begun: WeakRef<LogBlock> | null = null;
  let saidAt = performance.now();
  while (!signal.aborted) {
    // The look comes first, so that a log without a pause does not keep the state back.
    const first: Promise<News> = Promise.race([
      ...(look === null ? [] : [look.then((found) => ({ row: found ?? execution, block: null }))]),
      behind(begun, () => logs.next(execution.id, place)).then((found) => ({
        row: null,
        block: found,
      })),
    ]);
    const news: News | null = await unlessAborted(first, signal);
    if (news === null) return;
    const { row, block } = news;
    let part = "";
    if (row !== null) {
      const before: string = state;
      ({ next: look, state } = await looking({ db, watch }, row));
      if (state !== before) part = eventOf("status", state);
    }
    const isOver = block?.isLast === true;
    if (block !== null) {
      ({ part, to: place } = partOf(block, form, place));
      begun = place < block.to ? new WeakRef(block) : null;
    }
    if (part === "" && performance.now() - saidAt >= SILENT_MS) part = ":\n\n";
    if (part !== "") {
      yield part;
      saidAt = performance.now();
    }
    if (isOver) {
      const row = (await findExecutionById(db, execution.id)) ?? execution;
      const { state: ended } = await looking({ db, watch }, row);
      if (ended !== state) yield eventOf("status", ended);
      yield eventOf("done", ended, DONE);
      return;
    }
  }
}

/** A row's state as an event has it, and the next look at it where it may change. */
async function looking({ db, watch }: Pick<LogEventDeps, "db" | "watch">, row: ExecutionRow) {
  const next = isOpen(row.status) ? watch.next(row.id) : null;
  // Nobody may be waiting for it when it fails.
  next?.catch(() => {});
  return { next, state: JSON.stringify({ status: await stateView(db, row) }) };
}

async function behind(
  begun: WeakRef<LogBlock> | null,
  read: () => Promise<LogBlock | null>,
): Promise<LogBlock | null> {
  return begun?.deref() ?? (await read());
}

/** As much of a block behind a place as goes out at once, and the number of the last frame in it. */
function partOf(block: LogBlock, form: LogForm, place: number): { part: string; to: number } {
  let part = "";
  let last = place;
  for (const { text, to, isGap } of messagesOf(block, form)) {
    if (to <= place) continue;
    if (part !== "" && part.length + text.length > PART_LENGTH) return { part, to: last };
    part += eventOf(isGap ? "gap" : "log", text, String(to));
    last = to;
  }
  return { part, to: block.to };
}

/** @param json As `JSON.stringify` gives it: an end of a line in it would end the field. */
function eventOf(name: string, json: string, id?: string): string {
  return `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${json}\n\n`;
}
