import type { PostgresAddress } from "../store/address.ts";
import type { Notification } from "../store/notify.ts";
import { startListener } from "../stream/listener.ts";
import type { Log } from "../worker/log.ts";

/** Whoever is told what the nodes tell each other. */
interface Ear {
  hear(notification: Notification): void;
  /** Words may have been lost. */
  lookAgain(): void;
}

interface ListeningOptions {
  address: PostgresAddress;
  log: Pick<Log, "warn">;
  ears: readonly Ear[];
}

/** @returns What stops it. */
export function startListening({ address, log, ears }: ListeningOptions): () => Promise<void> {
  const listener = startListener({
    address,
    onNotification(notification) {
      for (const ear of ears) ear.hear(notification);
    },
    onListening() {
      for (const ear of ears) ear.lookAgain();
    },
    log: (text, details) => log.warn(details, text),
  });
  return () => listener.stop();
}
