import { setTimeout as delay } from "node:timers/promises";
import { Client, type ClientConfig, Pool } from "pg";
import { type PostgresAddress, tlsOptionsOf } from "../store/address.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { STATEMENT_TIMEOUT_MS, type WatchedSockets } from "../store/watched-socket.ts";

const SETTLES_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 20;

/** The pool of one runner. */
export interface QueuePool {
  readonly pool: Pool;
  /**
   * From here on nobody gets an answer or an error any more: who asks, or has asked, waits for
   * ever. What graphile-worker does without waiting for it would fail where nobody can catch it.
   */
  abandon(): void;
  /** Abandons and ends the pool when the completions under way are written, or cannot be. */
  leave(): Promise<void>;
}

/**
 * The driver and pool that graphile-worker uses, with errors that it knows how to outlive.
 *
 * graphile-worker 0.17.3 does not await the call that completes a job: when Postgres is down just
 * then, the rejection is unhandled and the job stays locked for 4 hours. It does retry, up to 100
 * times, errors of a few codes; so every error that means "not reachable" is given one of them.
 */
export function openQueuePool(
  address: PostgresAddress,
  sockets: WatchedSockets,
  maxConnections: number,
): QueuePool {
  let isAbandoned = false;
  const outlived: Outlived = async (result) => {
    try {
      return await result;
    } catch (error) {
      if (isAbandoned) return await new Promise(() => {});
      throw relabel(error);
    }
  };
  const tls = tlsOptionsOf(address);
  const options: ClientConfig & { max: number; Client: typeof Client } = {
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(tls === false ? {} : { ssl: tls }),
    max: maxConnections,
    connectionTimeoutMillis: 5_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: "fastlane queue",
    stream: () => sockets.open(),
    Client: outlivingClient(outlived),
  };
  const pool = new Pool(options);
  // Without a listener the loss of an idle connection would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const connect: (...args: unknown[]) => unknown = pool.connect.bind(pool);
  pool.connect = ((callback?: unknown) => {
    if (callback !== undefined) return isAbandoned ? undefined : connect(callback);
    return isAbandoned ? new Promise(() => {}) : outlived(connect());
  }) as typeof pool.connect;
  const abandon = () => {
    isAbandoned = true;
  };
  return {
    pool,
    abandon,
    async leave() {
      await settled(pool);
      abandon();
      await pool.end();
    },
  };
}

/** A runner is done before its completions are: it calls for them without waiting. */
async function settled(pool: Pool): Promise<void> {
  for (let waitedMs = 0; waitedMs < SETTLES_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    await delay(LOOK_EVERY_MS);
    if (pool.totalCount === pool.idleCount && pool.waitingCount === 0) return;
  }
}

type Outlived = (result: unknown) => Promise<unknown>;

function outlivingClient(outlived: Outlived): typeof Client {
  return class extends Client {
    constructor(config?: string | ClientConfig) {
      super(config);
      const query: (...args: unknown[]) => unknown = this.query.bind(this);
      const connect: (...args: unknown[]) => unknown = this.connect.bind(this);
      this.query = ((...args: unknown[]) => {
        const result = query(...args);
        return result instanceof Promise ? outlived(result) : result;
      }) as typeof this.query;
      this.connect = ((callback?: (error: unknown) => void) =>
        callback === undefined
          ? outlived(connect())
          : connect((error: unknown) => callback(relabel(error)))) as typeof this.connect;
    }
  };
}

function relabel(error: unknown): unknown {
  if (error instanceof Error && isDatabaseDown(error)) {
    return Object.assign(error, { code: "EHOSTUNREACH" });
  }
  return error;
}
