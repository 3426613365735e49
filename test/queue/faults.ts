import { enqueue } from "../../src/queue/enqueue.ts";
import { migrateQueue, type Queue, startQueue } from "../../src/queue/runner.ts";
import { parsePostgresUrl } from "../../src/store/address.ts";
import { openStore } from "../../src/store/connect.ts";
import { isDatabaseDown } from "../../src/store/faults.ts";
import { eventually } from "../support/client.ts";

/** A runner whose handler can be made to wait, on a server that the test breaks. */
export async function queueAt(directUrl: string, url = directUrl) {
  await migrateQueue(parsePostgresUrl(directUrl));
  const store = openStore({ address: parsePostgresUrl(directUrl) });
  const heard: string[] = [];
  const ended: string[] = [];
  const rejections: unknown[] = [];
  const note = (error: unknown) => rejections.push(error);
  process.on("unhandledRejection", note);
  const gates = new Map<string, Promise<void>>();
  const queue: Queue = startQueue({
    address: parsePostgresUrl(url),
    handlers: {
      async trace() {},
      async fire() {},
      async dispatch({ pool }) {
        heard.push(pool);
        await gates.get(pool);
        ended.push(pool);
      },
    },
    log() {},
  });
  return {
    store,
    queue,
    heard,
    ended,
    rejections,
    gates,
    send: (pool: string) => untilSent(store, pool),
    /** Waits until the handler has begun (`heard`) or ended. */
    until: (list: string[], pool: string, withinMs?: number) =>
      eventually(
        () => list.includes(pool) || undefined,
        () => `"${pool}" was not handled`,
        withinMs,
      ),
    async [Symbol.asyncDispose]() {
      await queue.stop();
      await store.close();
      process.off("unhandledRejection", note);
    },
  };
}

async function untilSent(store: ReturnType<typeof openStore>, pool: string): Promise<void> {
  await eventually(
    () =>
      store.db
        .transaction((tx) => enqueue(tx, "dispatch", { pool }))
        .catch((error: unknown) => {
          if (!isDatabaseDown(error)) throw error;
          return undefined;
        }),
    () => `"${pool}" could not be sent`,
  );
}
