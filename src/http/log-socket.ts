import { messageOf } from "../core/errors.ts";
import { isOpen } from "../store/executions.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { HttpDeps } from "./context.ts";
import { type LogForm, messagesOf } from "./log-messages.ts";
import { CLOSED, type Socket } from "./socket.ts";
import { stateView } from "./views.ts";

export type LogSocketDeps = Pick<HttpDeps, "db" | "logs" | "watch" | "stopping" | "log">;

export interface LogSocketOptions extends LogForm {
  /** The number of the frame behind which to begin; 0 is the beginning. */
  after: number;
  /** Whether the execution's state is told too, first and at each change. */
  withStatus: boolean;
}

/**
 * Sends an execution's log over a socket until the execution has ended and all of it is sent, at
 * the reader's pace: while the socket takes nothing, nothing is held for it.
 *
 * @param find Resolves with the execution, or with `null` when the socket was closed before there
 *   was one.
 */
export function serveLog(
  deps: LogSocketDeps,
  socket: Socket,
  find: (signal: AbortSignal) => Promise<ExecutionRow | null>,
  options: LogSocketOptions,
): void {
  closeWhenStopping(deps, socket);
  const serve = async () => {
    const execution = await find(socket.closed);
    if (execution === null) return;
    // Before the log is begun: what another has read of it just now comes faster than a state.
    const told = options.withStatus ? await tellState(deps, socket, execution, options) : null;
    const telling = told === null ? null : tellChanges(deps, socket, execution, options, told);
    await Promise.all([sendLog(deps, socket, execution.id, options), telling]);
    socket.close(...CLOSED.done);
  };
  serve().catch((error: unknown) => {
    if (socket.closed.aborted) return;
    // The store is away, or this is a bug: either way the client does well to come again.
    deps.log.error({ error: messageOf(error) }, "could not go on with a socket");
    socket.close(...CLOSED.failed);
  });
}

/** The same place is found by another node, or by this one when it is back. */
export function closeWhenStopping({ stopping }: Pick<LogSocketDeps, "stopping">, socket: Socket) {
  const retry = () => socket.close(...CLOSED.retry);
  const forget = () => stopping.removeEventListener("abort", retry);
  stopping.addEventListener("abort", retry, { once: true });
  socket.closed.addEventListener("abort", forget, { once: true });
  if (stopping.aborted) retry();
}

/** Resolves when all is sent, or the socket closed. */
async function sendLog(
  { logs }: LogSocketDeps,
  socket: Socket,
  executionId: string,
  options: LogSocketOptions,
): Promise<void> {
  let { after } = options;
  while (!socket.closed.aborted) {
    const block = await logs.next(executionId, after);
    if (block === null) continue;
    const messages = messagesOf(block, options);
    const fullAt = messages.findIndex(({ text }) => !socket.send(text));
    // What is behind a message that filled the socket is read anew when there is room.
    const isWhole = fullAt < 0 || fullAt === messages.length - 1;
    after = (isWhole ? undefined : messages[fullAt]?.to) ?? block.to;
    if (fullAt >= 0) await socket.drained();
    if (block.isLast && isWhole) return;
  }
}

/** @returns What is told now, which is not told twice. */
async function tellState(
  { db }: LogSocketDeps,
  socket: Socket,
  row: ExecutionRow,
  { isBatch }: LogForm,
  told = "",
): Promise<string> {
  const frame = JSON.stringify({ status: await stateView(db, row) });
  if (frame !== told) socket.send(isBatch ? `[${frame}]` : frame);
  return frame;
}

/** Resolves when the end is told. */
async function tellChanges(
  deps: LogSocketDeps,
  socket: Socket,
  execution: ExecutionRow,
  form: LogForm,
  first: string,
): Promise<void> {
  let [row, told]: [ExecutionRow | null, string] = [execution, first];
  while (isOpen(row.status) && !socket.closed.aborted) {
    row = await deps.watch.next(row.id);
    if (row === null) return;
    told = await tellState(deps, socket, row, form, told);
  }
}
