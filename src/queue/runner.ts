import { EventEmitter } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import {
  Logger,
  type Runner,
  run,
  runMigrations,
  type Task,
  type WorkerEvents,
} from "graphile-worker";
import * as v from "valibot";
import { messageOf } from "../core/errors.ts";
import type { PostgresAddress } from "../store/address.ts";
import { watchSockets } from "../store/watched-socket.ts";
import { MESSAGES, type Message, type MessageName } from "./messages.ts";
import { openQueuePool, type QueuePool } from "./pool.ts";

export type Handlers = { [Name in MessageName]: (message: Message<Name>) => Promise<void> };

export interface QueueOptions {
  address: PostgresAddress;
  /** Resolves when messages can be handled: none is taken before. */
  handlers: Handlers;
  log(level: "info" | "warn", text: string, details?: Record<string, unknown>): void;
}

export interface Queue {
  /** The name under which this runner locks messages at present; `null` before it has begun. */
  poolId(): string | null;
  /** Whether it has asked for messages lately. */
  isAlive(): boolean;
  stop(): Promise<void>;
}

const CONCURRENCY = 2;
const POLL_MS = 500;
/** An idle runner asks each `POLL_MS`; one that has been silent for so long has lost its way. */
const SILENT_TOO_LONG_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
const STOP_WITHIN_MS = 5_000;

/** One run of graphile-worker with a pool of its own. */
interface Generation {
  runner: Runner;
  poolId: string | null;
  lastSign: number;
  ended: boolean;
  abandon(): void;
  /** Resolves when it is over and its pool is left. */
  whole: Promise<void>;
}

/**
 * Runs the messages of the queue, and goes on doing so whatever happens to Postgres.
 *
 * A runner of graphile-worker can end by itself, or live on without asking for messages ever again
 * (a connection that hangs, a retry that sleeps for minutes). So each one is watched, and one that
 * ended or fell silent is followed by a new one; the old one is left to finish what it retries.
 */
export function startQueue(options: QueueOptions): Queue {
  const { address, log } = options;
  const sockets = watchSockets(address.tls === "off");
  let current: Generation | null = null;
  let starting = false;
  let stopped = false;
  const former = new Set<string>();

  const begin = async () => {
    if (starting || stopped) return;
    starting = true;
    try {
      const queuePool = openQueuePool(address, sockets, CONCURRENCY + 3);
      current = await startGeneration(options, queuePool);
      if (stopped) await retire(current);
      else await unlockFormer(queuePool, former);
    } catch (error) {
      log("warn", "The queue cannot start, and will be tried again", { error: messageOf(error) });
    } finally {
      starting = false;
    }
  };
  const watch = setInterval(() => {
    if (current !== null && !current.ended && !isSilent(current)) return;
    if (current !== null && !current.ended) {
      log("warn", "The queue has been silent and is started anew");
      void retire(current);
    }
    if (current?.poolId != null) former.add(current.poolId);
    current = null;
    void begin();
  }, LOOK_EVERY_MS);
  void begin();
  const stop = async () => {
    stopped = true;
    clearInterval(watch);
    if (current !== null) await Promise.race([retire(current), delay(STOP_WITHIN_MS)]);
    current?.abandon();
    sockets.destroyAll("the queue stops");
  };
  let stopping: Promise<void> | null = null;

  return {
    poolId: () => current?.poolId ?? null,
    isAlive: () => current !== null && !current.ended && !isSilent(current),
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** Makes the queue's own tables; safe with several nodes at once. */
export async function migrateQueue(address: PostgresAddress): Promise<void> {
  const { pool } = openQueuePool(address, watchSockets(false), 1);
  try {
    await runMigrations({ pgPool: pool, logger: silentLogger() });
  } finally {
    await pool.end();
  }
}

async function startGeneration(
  options: QueueOptions,
  { pool, abandon, leave }: QueuePool,
): Promise<Generation> {
  const events: WorkerEvents = new EventEmitter();
  const sign = { at: performance.now(), poolId: null as string | null };
  const alive = () => {
    sign.at = performance.now();
  };
  events.on("worker:getJob:empty", alive);
  events.on("job:start", alive);
  events.on("job:complete", alive);
  events.on("pool:create", ({ workerPool }) => {
    sign.poolId = workerPool.id;
  });
  try {
    const runner = await run({
      pgPool: pool,
      taskList: taskListOf(options.handlers),
      concurrency: CONCURRENCY,
      pollInterval: POLL_MS,
      noHandleSignals: true,
      parsedCronItems: [],
      events,
      logger: silentLogger(),
    });
    // It resolves, and does not reject, when it gave up after an error: both are an end.
    const whole = runner.promise
      .catch(() => {})
      .then(() => {
        generation.ended = true;
        return leave().catch(() => {});
      });
    const generation: Generation = {
      runner,
      get poolId() {
        return sign.poolId;
      },
      get lastSign() {
        return sign.at;
      },
      ended: false,
      abandon,
      whole,
    };
    return generation;
  } catch (error) {
    await pool.end().catch(() => {});
    throw error;
  }
}

async function retire(generation: Generation): Promise<void> {
  if (!generation.ended) await generation.runner.stop().catch(() => {});
  await generation.whole;
}

/** What earlier runs of this process have left locked; the queue itself waits 4 hours. */
async function unlockFormer({ pool }: QueuePool, former: Set<string>): Promise<void> {
  if (former.size === 0) return;
  await pool.query("SELECT graphile_worker.force_unlock_workers($1::text[])", [[...former]]);
  former.clear();
}

function taskListOf(handlers: Handlers): Record<string, Task> {
  return Object.fromEntries(
    (Object.keys(MESSAGES) as MessageName[]).map((name) => [
      name,
      async (payload: unknown) => {
        const handle: (message: never) => Promise<void> = handlers[name];
        await handle(v.parse(MESSAGES[name], payload) as never);
      },
    ]),
  );
}

const isSilent = (generation: Generation) =>
  performance.now() - generation.lastSign > SILENT_TOO_LONG_MS;

// What graphile-worker says repeats what the watch above says better, and quotes payloads.
const silentLogger = () => new Logger(() => () => {});
