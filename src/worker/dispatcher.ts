import { messageOf } from "../core/errors.ts";
import type { PoolRule } from "../core/pool.ts";
import { dispatchPool } from "../services/dispatch-pool.ts";
import type { Db } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import { coalesced } from "./coalesced.ts";
import type { Log } from "./log.ts";

/** Has pools dispatched, each once at a time, however many ask for it. */
export interface Dispatcher {
  /** Resolves when a dispatch that began after this is done. A pool of another node's is left to it. */
  dispatch(pool: string): Promise<void>;
}

export interface DispatcherDeps {
  db: Db;
  pools: readonly PoolRule[];
  log: Log;
  /** Whether this node attends to a host, and so need not be told by a notification. */
  isOwn(host: string): boolean;
  wake(host: string): void;
}

export function createDispatcher({ db, pools, log, isOwn, wake }: DispatcherDeps): Dispatcher {
  const requests = new Map(
    pools.map((pool) => [
      pool.match,
      coalesced(async () => {
        try {
          const { hosts } = await dispatchPool(db, pool, isOwn);
          for (const host of hosts) wake(host);
        } catch (error) {
          // One that fails because Postgres is away is made up for by the sweep.
          if (isDatabaseDown(error)) return;
          log.error({ pool: pool.match, error: messageOf(error) }, "dispatch failed");
        }
      }),
    ]),
  );
  return {
    async dispatch(pool) {
      await requests.get(pool)?.();
    },
  };
}
