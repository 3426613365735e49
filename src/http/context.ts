import type { Context } from "hono";
import type { Actor } from "../core/actor.ts";
import type { Enqueuer } from "../services/enqueuer.ts";
import type { PlanDeps } from "../services/job-plan.ts";
import type { Retention } from "../services/prune.ts";
import type { Db } from "../store/connect.ts";
import type { ExecutionWatch } from "../stream/execution-watch.ts";
import type { Hints } from "../stream/hints.ts";
import type { LogReader } from "../stream/log-reader.ts";
import type { Tail } from "../stream/tail.ts";
import type { TokenWatch } from "../stream/token-watch.ts";
import type { Traces } from "../traces/traces.ts";
import type { Session } from "./session.ts";
import type { SocketHandler } from "./socket.ts";

/** What the routes need. */
export interface HttpDeps {
  db: Db;
  hints: Hints;
  logs: LogReader;
  watch: ExecutionWatch;
  tail: Tail;
  /** What decides about payloads; its pools are all that there are. A reload changes it. */
  plan: PlanDeps;
  enqueuer: Enqueuer;
  traces: Traces;
  /** Something new waits in these pools. */
  onEnqueued(pools: readonly string[]): void;
  version: string;
  /** Absolute, without a slash at its end; else URLs are made from the request. */
  publicUrl: string | undefined;
  trustedProxies: readonly string[];
  /** Origins whose pages may ask; "*" is all. */
  corsOrigins: readonly string[];
  /** Whether nobody may ask without saying who they are. */
  requiresAuthentication: boolean;
  basicAuth: { username: string; password: string } | null;
  authenticationRealm: string;
  tokenWatch: TokenWatch;
  /** How long what is over is kept, in days. */
  retention: Retention;
  /** Whether mail can go. */
  hasMail: boolean;
  envBlacklistedWords: readonly string[];
  paginationPerPage: number;
  /** Whether this process runs the queue's messages; `null` when another one has to. */
  queueIsAlive: (() => boolean) | null;
  /** Aborted when the node is about to stop: who can ask another does well to. */
  leaving: AbortSignal;
  /** Aborted when the server stops: whoever waits is answered. */
  stopping: AbortSignal;
  metrics: HttpMetrics;
  log: HttpLog;
}

/** What is counted of requests, and what tells of all that is counted. */
export interface HttpMetrics {
  requested(request: { operation: string; method: string; status: number; seconds: number }): void;
  /** @returns What tells that it is closed. */
  streamOpened(kind: "ws" | "tail" | "sse"): () => void;
  scrape(): Promise<{ contentType: string; text: string }>;
}

/** Where requests are told of: one line each, with the request's id. */
export interface HttpLog {
  debug(fields: Record<string, unknown>, event: string): void;
  info(fields: Record<string, unknown>, event: string): void;
  warn(fields: Record<string, unknown>, event: string): void;
  error(fields: Record<string, unknown>, event: string): void;
}

export interface HttpEnv {
  Bindings: {
    /** The address of the other end of the connection. */
    peerAddress: string;
    /** The answer may be silent for longer than others. */
    mayBeSilent(): void;
    /**
     * @param headers Of the answer that makes it one.
     * @returns Whether the connection has become a WebSocket; the answer is then of no account.
     */
    upgrade(handler: SocketHandler, headers: Record<string, string>): boolean;
  };
  Variables: {
    /** What the route does, as errors name it. */
    operation: string;
    requestId: string;
    receivedAt: Date;
    /** Set before any route is asked. */
    actor: Actor;
    /** The same. */
    session: Session;
    /** Set where the connection has become a WebSocket. */
    isSocket?: true;
  };
}

export type HttpContext = Context<HttpEnv>;
