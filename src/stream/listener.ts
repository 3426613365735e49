import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import { messageOf } from "../core/errors.ts";
import type { PostgresAddress } from "../store/address.ts";
import { openStore, type Store } from "../store/connect.ts";
import { CHANNEL, Notification, notify } from "../store/notify.ts";

const CANARY_EVERY_MS = 4_000;
const REOPEN_AFTER_MS = 500;

export interface ListenerOptions {
  address: PostgresAddress;
  onNotification(notification: Notification): void;
  /** Listening (again): what was sent before was not heard, so look at the rows. */
  onListening(): void;
  log(text: string, details: Record<string, unknown>): void;
}

export interface Listener {
  stop(): Promise<void>;
}

/**
 * Hears what the nodes tell each other through Postgres.
 *
 * The connection that listens says nothing when it is dead; so the listener sends itself a canary
 * every 4 s, and opens a new connection when it has not come by the next one.
 */
export function startListener(options: ListenerOptions): Listener {
  const id = crypto.randomUUID();
  const stopped = new AbortController();
  let heardCanary = false;

  const hear = (payload: string) => {
    const parsed = v.safeParse(Notification, parsedOrNothing(payload));
    // Another version's words are no concern of this one.
    if (!parsed.success) return;
    if (parsed.output.about !== "canary") options.onNotification(parsed.output);
    else if (parsed.output.listener === id) heardCanary = true;
  };

  const listenOnce = async (store: Store) => {
    await store.sql.listen(CHANNEL, hear, options.onListening);
    do {
      heardCanary = false;
      await notify(store.db, { about: "canary", listener: id });
      await delay(CANARY_EVERY_MS, undefined, { signal: stopped.signal });
    } while (heardCanary);
    throw new Error("what was sent to oneself was not heard");
  };

  const run = async () => {
    while (!stopped.signal.aborted) {
      const store = openStore({ address: options.address, max: 1, name: "fastlane listener" });
      try {
        await listenOnce(store);
      } catch (error) {
        if (!stopped.signal.aborted) {
          options.log("The listener is opened anew", { error: messageOf(error) });
        }
      }
      store.reset("the listener is closed");
      await store.close().catch(() => {});
      await delay(REOPEN_AFTER_MS, undefined, { signal: stopped.signal }).catch(() => {});
    }
  };
  const running = run();

  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

function parsedOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
