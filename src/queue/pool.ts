import { Client, type ClientConfig, Pool } from "pg";
import { type PostgresAddress, tlsOptionsOf } from "../store/address.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { STATEMENT_TIMEOUT_MS, type WatchedSockets } from "../store/watched-socket.ts";

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
): Pool {
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
    Client: OutlivingClient,
  };
  const pool = new Pool(options);
  // Without a listener the loss of an idle connection would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

class OutlivingClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    const query: (...args: unknown[]) => unknown = this.query.bind(this);
    const connect: (...args: unknown[]) => unknown = this.connect.bind(this);
    this.query = ((...args: unknown[]) => relabelled(query(...args))) as typeof this.query;
    this.connect = ((callback?: (error: unknown) => void) =>
      callback === undefined
        ? relabelled(connect())
        : connect((error: unknown) => callback(relabel(error)))) as typeof this.connect;
  }
}

function relabelled(result: unknown): unknown {
  if (!(result instanceof Promise)) return result;
  return result.catch((error: unknown) => {
    throw relabel(error);
  });
}

function relabel(error: unknown): unknown {
  if (error instanceof Error && isDatabaseDown(error)) {
    return Object.assign(error, { code: "EHOSTUNREACH" });
  }
  return error;
}
