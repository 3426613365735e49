import { coalesced } from "../core/coalesced.ts";
import { messageOf } from "../core/errors.ts";
import type { Live } from "../core/live.ts";
import type { PoolRule } from "../core/pool.ts";
import { dispatchPool } from "../services/dispatch-pool.ts";
import type { Db } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import type { Log } from "./log.ts";

/** Has pools dispatched, each once at a time, however many ask for it. */
export interface Dispatcher {
  /** Resolves when a dispatch that began after this is done. A pool of another node's is left to it. */
  dispatch(pool: string): Promise<void>;
  /** Something new waits in the pool. */
  hurry(pool: string): void;
}

export interface DispatcherDeps {
  db: Db;
  pools: Live<readonly PoolRule[]>;
  log: Log;
  /** Whether this node attends to a host, and so need not be told by a notification. */
  isOwn(host: string): boolean;
  wake(host: string): void;
}

/**
 * For so long what is new in a pool without room is not asked about again: thousands may come in a
 * second, and whatever makes room has a dispatch of its own.
 */
const REST_MS = 50;

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const dispatchers = new Map<string, ReturnType<typeof poolDispatcher>>();
  const dispatcherOf = (name: string) => {
    const known = dispatchers.get(name);
    if (known !== undefined || ruleOf(deps, name) === null) return known;
    const made = poolDispatcher(deps, name);
    dispatchers.set(name, made);
    return made;
  };
  return {
    async dispatch(pool) {
      await dispatcherOf(pool)?.dispatch();
    },
    hurry: (pool) => dispatcherOf(pool)?.hurry(),
  };
}

/** The pool's rule of now; `null` when the configuration has no such pool. */
function ruleOf({ pools }: DispatcherDeps, name: string): PoolRule | null {
  return pools.current().find(({ match }) => match === name) ?? null;
}

function poolDispatcher(deps: DispatcherDeps, name: string) {
  const { db, log, isOwn, wake } = deps;
  let restsUntil = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const dispatch = coalesced(async () => {
    const pool = ruleOf(deps, name);
    if (pool === null) return;
    try {
      const { hosts, isStuck } = await dispatchPool(db, pool, isOwn);
      for (const host of hosts) wake(host);
      restsUntil = isStuck ? performance.now() + REST_MS : 0;
    } catch (error) {
      // One that fails because Postgres is away is made up for by the sweep.
      if (isDatabaseDown(error)) return;
      log.error({ pool: name, error: messageOf(error) }, "dispatch failed");
    }
  });
  const hurry = () => {
    const restMs = restsUntil - performance.now();
    if (restMs <= 0) return void dispatch();
    timer ??= setTimeout(() => {
      timer = null;
      void dispatch();
    }, restMs);
    timer.unref();
  };
  return { dispatch, hurry };
}
