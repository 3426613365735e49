import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../worker/log.ts";
import { inTime } from "./in-time.ts";
import type { Api } from "./serving.ts";
import type { Working } from "./working.ts";

/** From the word to stop, in milliseconds: what is not done by then is left behind. */
const BY = { parts: 7_500, connections: 8_500, postgres: 9_300 };

/** What stops a part, and the part's name for the log. */
export interface Closing {
  part: string;
  close(): Promise<void>;
}

/** What a started app consists of; the parts that are not there yet are `null`. */
export interface Started {
  api: Api | null;
  working: Working | null;
  /** Closed in the reverse order of their start: traces, the listener, connections to Postgres. */
  connections: Closing[];
  /** The embedded Postgres. */
  postgres: (() => Promise<void>)[];
}

/**
 * The order of an end. The hosts are given back at once, while the API answers on for a moment and
 * asks its clients to turn to others; then it closes. Postgres is last, since all need it.
 *
 * @param delayMs For how long the API answers on.
 */
export async function end(started: Started, log: Log, delayMs: number): Promise<void> {
  const begun = performance.now();
  const left = (by: number) => by - (performance.now() - begun);
  const { api, working, connections, postgres } = started;
  api?.leave();
  const stopApi = async () => {
    await delay(delayMs);
    await api?.stop();
  };
  await Promise.all([
    ...(api === null ? [] : [inTime(log, "api", BY.parts, stopApi)]),
    ...(working === null ? [] : [inTime(log, "worker", BY.parts, working.stop)]),
  ]);
  for (const { part, close } of connections.splice(0).reverse()) {
    await inTime(log, part, left(BY.connections), close);
  }
  for (const stop of postgres.splice(0)) await inTime(log, "postgres", left(BY.postgres), stop);
}
