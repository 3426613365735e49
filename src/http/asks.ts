import type * as v from "valibot";
import type { LogStream } from "../core/log-streams.ts";
import type { FilterBody } from "../payload/filter.ts";
import type { BlacklistBody, DrainBody } from "../payload/host-requests.ts";
import type { JobPayload } from "../payload/job-payload.ts";
import type { TokenBody } from "../payload/token.ts";
import type { OperationName } from "./access.ts";

export interface Paged {
  query?: { page?: number; perPage?: number };
}

export interface OfLog {
  query?: {
    /** Of all lines, the last so many. */
    tail?: number;
    /** How long ago (`10m`), UNIX seconds, or ISO 8601. */
    since?: string;
    follow?: boolean;
    download?: boolean;
    format?: "text" | "ndjson";
    stream?: LogStream | LogStream[];
    after?: number;
    exact?: boolean;
  };
}

export interface OfList {
  query?: {
    task?: string;
    status?: string;
    host?: string;
    since?: string;
    until?: string;
    cursor?: string;
    limit?: number;
  };
}

export interface OfJob {
  json: v.InferInput<typeof JobPayload>;
  header?: { "Idempotency-Key"?: string };
}

/** What a client may send with an operation besides the URL's own parts; the typed client asks for it. */
interface Asks {
  enqueueJob: OfJob & { query?: { wait?: number } };
  enqueueJobs: { json: v.InferInput<typeof JobPayload>[] };
  putJob: OfJob;
  listTasks: Paged;
  getTask: Paged;
  searchTasks: { query: { query: string; page?: number; perPage?: number } };
  listTicks: Paged;
  getSchedule: { query?: { count?: number } };
  getJobLogs: OfLog;
  getJobStdout: OfLog;
  getJobStderr: OfLog;
  getExecutionLogs: OfLog;
  getExecutionStdout: OfLog;
  getExecutionStderr: OfLog;
  getExecutionEvents: {
    query?: { after?: number; stream?: LogStream | LogStream[]; exact?: boolean };
    header?: { "Last-Event-ID"?: string };
  };
  listExecutions: OfList;
  stopExecutions: { json: v.InferInput<typeof FilterBody> };
  retryExecutions: { json: v.InferInput<typeof FilterBody> };
  blacklistHost: { json: v.InferInput<typeof BlacklistBody> };
  putHostOnBlacklist: { json: v.InferInput<typeof BlacklistBody> };
  liftBlacklist: { json: v.InferInput<typeof BlacklistBody> };
  drainHost: { json: v.InferInput<typeof DrainBody> };
  listTokens: { query?: { all?: boolean } };
  createToken: { json: v.InferInput<typeof TokenBody> };
  audit: {
    query?: {
      actor?: string;
      action?: string;
      task?: string;
      since?: string;
      until?: string;
      cursor?: string;
      limit?: number;
    };
  };
}

export type AsksOf<Name extends OperationName> = Name extends keyof Asks ? Asks[Name] : object;
