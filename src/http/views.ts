import { hostAndPort } from "../core/host-name.ts";
import { redactEnvs } from "../core/redact.ts";
import type { Db } from "../store/connect.ts";
import { readTail } from "../store/log-chunks.ts";
import type { ExecutionRow, JobRow } from "../store/schema.ts";

/** Of each stream, the bytes that stand in JSON; the text routes give all. */
const LOG_TAIL_BYTES = 64 * 1024;

/** An execution as the reference shows it. */
export async function executionView(db: Db, row: ExecutionRow) {
  const [stdout, stderr] = await Promise.all([
    readTail(db, row.id, "stdout", LOG_TAIL_BYTES),
    readTail(db, row.id, "stderr", LOG_TAIL_BYTES),
  ]);
  const { host, port } = row.host === null ? { host: null, port: null } : hostAndPort(row.host);
  return {
    command: row.request.commandText,
    createdAt: row.createdAt.toISOString(),
    error: joinError(textOf(stderr), row.message),
    executionId: row.id,
    exitCode: row.exitCode,
    failureCause: row.failureCause,
    finishedAt: row.finishedAt?.toISOString() ?? null,
    image: row.request.imageText,
    log: textOf(stdout),
    ...(stdout.truncated || stderr.truncated ? { logTruncated: true } : {}),
    metadata: { container_id: row.containerId, docker_host: host, docker_port: port },
    requestIPAddress: row.requestIp,
    startedAt: row.startedAt?.toISOString() ?? null,
    status: row.status,
  };
}

/** A job's own part of its details. */
export function jobView(
  row: JobRow,
  executionCount: number,
  executions: unknown[],
  envBlacklistedWords: readonly string[],
) {
  return {
    createdAt: row.createdAt.toISOString(),
    executionCount,
    executions,
    image: row.request.imageText,
    command: row.request.commandText,
    lastModifiedAt: row.lastModifiedAt.toISOString(),
    metadata: {
      custom: row.custom,
      enqueued_id: row.queueMessageId === null ? null : String(row.queueMessageId),
      envs: redactEnvs(row.request.envs, envBlacklistedWords),
      notify: { fails: [], finishes: [], succeeds: [] },
      priority: row.priority,
      pullPolicy: row.request.pullPolicy,
      retries: 0,
      retry_count: 0,
      webhooks: { fails: [], finishes: [], succeeds: [] },
    },
    requestIPAddress: row.requestIp,
    scheduled: false,
    taskId: row.taskId,
  };
}

/** What the container wrote to stderr, and then the service's own words, where it has any. */
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
