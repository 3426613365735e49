import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { backoffMs } from "../core/backoff.ts";
import { messageOf } from "../core/errors.ts";
import { initializeData, unpackPostgres } from "./cluster.ts";
import { boundLog } from "./log-file.ts";
import { OwnedByAnother, type Ownership, takeOwnership } from "./ownership.ts";
import { type Place, preparePlace, sweepUnfinished } from "./place.ts";
import {
  findPostmaster,
  type Postmaster,
  spawnPostmaster,
  stopPostmaster,
  untilReady,
  untilReaped,
} from "./postmaster.ts";
import { urlOfSockets } from "./running.ts";

export interface EmbeddedPostgres {
  /** Stays the same over restarts. */
  readonly url: string;
  /** Of the postmaster that runs now, or ran last. */
  readonly pid: number;
  /** Ends the server: every session is cut, what is committed stays. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** The server's programs, data and log go to `postgres` below it. */
  dataDir: string;
  log(message: string, details?: Record<string, unknown>): void;
  /** The server ended by itself; it is started again without being asked. */
  onExit?(reason: string): void;
}

const RESTART_BACKOFF = { minMs: 200, factor: 2, maxMs: 5_000 };
const OWNER_PATIENCE_MS = 3_000;
const RETRY_LOCK_MS = 200;

/**
 * Starts the bundled Postgres, or takes over the one that a killed fastlane has left running, and
 * keeps it running until `stop`.
 *
 * @throws {Error} With a sentence that says what to do, for instance if another fastlane uses it.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const place = await preparePlace(options.dataDir);
  await sweepUnfinished(place);
  const programs = await unpackPostgres(place);
  await initializeData(place, programs);
  const unbound = boundLog(place.logFile);
  const server = { place, programs, options };
  try {
    const first = await bringUpOwned(server);
    // The initdb of a start that was killed outlives it, and may have made its folder once more.
    await sweepUnfinished(place);
    const keeper = keepRunning(server, first);
    return {
      url: urlOfSockets(place.sockets),
      get pid() {
        return keeper.pid();
      },
      stop: () => keeper.stop().finally(unbound),
    };
  } catch (error) {
    unbound();
    throw error;
  }
}

interface Server {
  place: Place;
  programs: string;
  options: EmbeddedPostgresOptions;
}

interface Owned {
  postmaster: Postmaster;
  ownership: Ownership;
  /** Resolves when the server has ended by itself. */
  ended: Promise<{ reason: string }>;
  /** Resolves when the lock's session has ended by itself. */
  lost: Promise<"lost">;
}

/** Brings up a server of our own version that answers, with nobody else in charge of it. */
async function bringUpOwned(server: Server): Promise<Owned> {
  const { place, programs, options } = server;
  const running = await bringUp(server);
  const adopted = await own(running, place).catch((error: unknown) => {
    // Whoever says no by words does answer.
    if (error instanceof OwnedByAnother || error instanceof postgres.PostgresError) throw error;
    options.log("Postgres does not answer, starting it anew", {
      pid: running.pid,
      error: messageOf(error),
    });
    return null;
  });
  const ours = running.program === `${programs}/bin/postgres`;
  if (adopted !== null && ours && running.sockets === place.sockets) return adopted;
  if (adopted !== null) {
    options.log("Another version of Postgres runs, starting ours", { program: running.program });
    await adopted.ownership.release();
  }
  await stopPostmaster(running);
  const postmaster = await bringUp(server);
  return await own(postmaster, place);
}

/** The server that runs, or else a new one; two processes that start at once get the same one. */
async function bringUp(server: Server): Promise<Postmaster> {
  const { place, programs, options } = server;
  const running = await findPostmaster(place);
  if (running !== null) {
    options.log("Taking over the Postgres that runs", { pid: running.pid });
    const ready = await untilReady(running, place, options.log).then(
      () => true,
      () => false,
    );
    if (ready) return running;
  }
  await untilReaped(place);
  const spawned = await spawnPostmaster(place, programs);
  try {
    await untilReady(spawned, place, options.log);
    options.log("Postgres runs", { pid: spawned.pid });
    return spawned;
  } catch (error) {
    const other = await findPostmaster(place);
    if (other === null) throw error;
    await untilReady(other, place, options.log);
    return other;
  }
}

async function own(postmaster: Postmaster, place: Place): Promise<Owned> {
  const lost = Promise.withResolvers<"lost">();
  const ownership = await takeOwnership({
    socketPath: `${postmaster.sockets}/.s.PGSQL.5432`,
    patienceMs: OWNER_PATIENCE_MS,
    onLost: () => lost.resolve("lost"),
  }).catch((error: unknown) => {
    if (!(error instanceof OwnedByAnother)) throw error;
    throw new OwnedByAnother(
      `Cannot use the data folder "${place.folder}": another fastlane is running on it; ` +
        "stop that one, or give this one a dataDir or databaseUrl of its own",
    );
  });
  const ended = postmaster.exited.then((reason) => ({ reason }));
  return { postmaster, ownership, ended, lost: lost.promise };
}

function keepRunning(server: Server, first: Owned) {
  const { place, options } = server;
  const stopping = Promise.withResolvers<"stopping">();
  let owned = first;
  let stopped: Promise<void> | undefined;

  async function watch(): Promise<void> {
    while (stopped === undefined) {
      // Of several that have happened, the first in this order counts.
      const event = await Promise.race([stopping.promise, owned.ended, owned.lost]);
      if (event === "lost") await takeAgain();
      else if (event !== "stopping") await restart(event.reason);
    }
  }

  /** Losing the lock is mostly the first sign of the server's end; its exit comes next then. */
  async function takeAgain(): Promise<void> {
    const taking = own(owned.postmaster, place).catch((error: unknown) => {
      if (error instanceof OwnedByAnother) options.log(error.message);
      return sleep(RETRY_LOCK_MS);
    });
    const again = await Promise.race([stopping.promise, owned.ended, taking]);
    if (typeof again === "object" && "ownership" in again) owned = again;
    else void taking.then((late) => late?.ownership.release());
  }

  async function restart(reason: string): Promise<void> {
    options.log("Postgres ended by itself, starting it again", { reason });
    options.onExit?.(reason);
    await owned.ownership.release();
    for (let failures = 1; stopped === undefined; failures++) {
      await Promise.race([
        sleep(backoffMs(RESTART_BACKOFF, failures, Math.random())),
        stopping.promise,
      ]);
      if (stopped !== undefined) return;
      try {
        owned = await bringUpOwned(server);
        return;
      } catch (error) {
        options.log("Postgres does not start, trying again", { error: messageOf(error) });
      }
    }
  }

  const watched = watch();
  return {
    pid: () => owned.postmaster.pid,
    stop: () => {
      stopped ??= (async () => {
        stopping.resolve("stopping");
        await watched;
        await stopPostmaster(owned.postmaster);
        await owned.ownership.release();
      })();
      return stopped;
    },
  };
}
