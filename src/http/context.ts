import type { Context } from "hono";
import type { PoolRule } from "../core/pool.ts";
import type { Db } from "../store/connect.ts";

/** What the routes need. */
export interface HttpDeps {
  db: Db;
  pools: readonly PoolRule[];
  version: string;
  /** Absolute, without a slash at its end; else URLs are made from the request. */
  publicUrl: string | undefined;
  trustedProxies: readonly string[];
  envBlacklistedWords: readonly string[];
  paginationPerPage: number;
  /** Whether this process runs the queue's messages; `null` when another one has to. */
  queueIsAlive: (() => boolean) | null;
  /** A request broke by an error that is a bug of ours. */
  onBug(error: unknown, request: { method: string; path: string }): void;
}

export interface HttpEnv {
  Bindings: {
    /** The address of the other end of the connection. */
    peerAddress: string;
  };
  Variables: {
    /** What the route does, as errors name it. */
    operation: string;
  };
}

export type HttpContext = Context<HttpEnv>;
