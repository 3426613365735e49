import { hostAndPort } from "../core/host-name.ts";
import { isLogDropped } from "../core/log-state.ts";
import { parseTraceparent } from "../core/trace-context.ts";
import type { Execution } from "../payload/execution-answers.ts";
import type { Db } from "../store/connect.ts";
import { type Dispatch, lastDispatches } from "../store/ledger.ts";
import { keptLogsOf, logSizeOf, logStateOf } from "../store/log-sizes.ts";
import { readTail } from "../store/read-log.ts";
import type { ExecutionRow } from "../store/schema.ts";

/** Of each stream, the bytes that stand in JSON; the text routes give all. */
const LOG_TAIL_BYTES = 64 * 1024;

const DISPATCHES_SHOWN = 3;

/** An execution as the reference shows it. */
export async function executionView(db: Db, row: ExecutionRow): Promise<Execution> {
  const [stdout, stderr, log, dispatches] = await Promise.all([
    readTail(db, row.id, "stdout", LOG_TAIL_BYTES),
    readTail(db, row.id, "stderr", LOG_TAIL_BYTES),
    logOf(db, row),
    lastDispatches(db, row.id, DISPATCHES_SHOWN),
  ]);
  return {
    command: row.request.commandText,
    createdAt: row.createdAt.toISOString(),
    error: joinError(textOf(stderr), row.message),
    executionId: row.id,
    exitCode: row.exitCode,
    failureCause: row.failureCause,
    finishedAt: timeOf(row.finishedAt),
    image: row.request.imageText,
    log: textOf(stdout),
    ...log,
    ...(stdout.truncated || stderr.truncated ? { logTruncated: true as const } : {}),
    metadata: {
      ...whereOf(row),
      retry: row.retry,
      retryOf: row.retryOf,
      tickAt: timeOf(row.tickAt),
      ...(dispatches.length === 0 ? {} : { webhookDispatch: dispatches.map(dispatchView) }),
    },
    requestIPAddress: row.requestIp,
    startedAt: timeOf(row.startedAt),
    status: row.status,
    ...traceIdOf(row),
  };
}

function traceIdOf({ traceparent }: ExecutionRow): { traceId?: string } {
  const trace = traceparent === null ? null : parseTraceparent(traceparent);
  return trace === null ? {} : { traceId: trace.traceId };
}

function dispatchView({ delivery, attempt }: Dispatch) {
  return {
    timestamp: attempt.at.toISOString(),
    event: delivery.event,
    url: delivery.target,
    statusCode: attempt.code,
    body: attempt.answer,
    error: attempt.error,
  };
}

/** What an execution's JSON tells of its log besides the text. */
async function logOf(db: Db, row: ExecutionRow) {
  const [size, kept] = await Promise.all([logSizeOf(db, row), keptLogsOf(db, row.logDay)]);
  return {
    logState: logStateOf(row),
    logBytes: size.bytes,
    logLines: size.lines,
    ...cutOf(row),
    ...(isLogDropped(kept, row.status) ? { logDropped: true as const } : {}),
  };
}

/** What was left out of it, which can be more while it runs. */
function cutOf({ logCutAfter, logCutTo, logCutBytes, logCutLines }: ExecutionRow) {
  if (logCutAfter === null || logCutTo === null) return {};
  const left = { bytes: logCutBytes ?? 0, lines: logCutLines ?? 0 };
  return { logCut: { after: logCutAfter, to: logCutTo, ...left } };
}

export function whereOf(row: Pick<ExecutionRow, "host" | "containerId">) {
  const { host, port } = row.host === null ? { host: null, port: null } : hostAndPort(row.host);
  return { container_id: row.containerId, docker_host: host, docker_port: port };
}

const timeOf = (at: Date | null) => at?.toISOString() ?? null;

/** What the container wrote to stderr, and then what the service itself has to say of the end. */
function joinError(stderr: string, message: string | null): string {
  if (message === null) return stderr;
  return stderr === "" || stderr.endsWith("\n") ? stderr + message : `${stderr}\n${message}`;
}

/** As text, without the rest of a character whose beginning was cut off. */
function textOf({ data, truncated }: { data: Uint8Array; truncated: boolean }): string {
  const isRest = (byte: number | undefined) => ((byte ?? 0) & 0xc0) === 0x80;
  let start = 0;
  while (truncated && start < 3 && isRest(data[start])) start += 1;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(data.subarray(start));
}
