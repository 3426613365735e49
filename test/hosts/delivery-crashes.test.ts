import { expect, test } from "bun:test";
import { setTimeout as delay } from "node:timers/promises";
import { openStore } from "../../src/store/connect.ts";
import { enqueue, eventually } from "../support/client.ts";
import { startFastlane } from "../support/process.ts";
import { startScriptedFarm } from "../support/scripted-docker/farm.ts";
import { migratedDatabase } from "../support/store.ts";
import { startReceiver } from "../support/webhook-receiver.ts";

const EXECUTIONS = 1_000;
const WEBHOOKS = 3;
const KILLS = 5;
const BATCH = 250;

test("a thousand ends with three webhooks each, the node killed five times: every one arrives", async () => {
  await using database = await migratedDatabase();
  await using farm = await startScriptedFarm(50);
  await using receiver = await startReceiver({
    async answer() {
      // Long enough that a kill meets some that are sent and not answered.
      await delay(20);
      return 204;
    },
  });
  const environment = {
    DATABASE_URL: database.url,
    FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: farm.hosts, maxRunning: 200 }]),
    FASTLANE_WEBHOOKS_ALLOW_PRIVATE: "true",
    FASTLANE_WEBHOOKS_EXPONENTIAL_BACKOFF_MIN_MS: "100",
  };
  await using api = await startFastlane({ command: "api", environment });
  const finishes = Array.from({ length: WEBHOOKS }, (_, i) => ({ url: `${receiver.url}/${i}` }));
  for (let made = 0; made < EXECUTIONS; made += BATCH) {
    await Promise.all(
      Array.from({ length: BATCH }, () =>
        enqueue(api.url, "many", { command: "echo end", webhooks: { finishes } }),
      ),
    );
  }

  for (let kill = 1; kill <= KILLS; kill++) {
    const worker = await startFastlane({ command: "worker", environment, deathSignal: "KILL" });
    const before = receiver.requests.length;
    await receiver.received(before + (EXECUTIONS * WEBHOOKS) / (KILLS * 2));
    await worker.end("SIGKILL");
  }
  await using _ = await startFastlane({ command: "worker", environment });
  const store = openStore({ address: database.address, max: 1 });
  const sent = () =>
    store.sql<{ id: string; status: string }[]>`SELECT id, status FROM fastlane.deliveries`;
  await eventually(
    async () => {
      const rows = await sent();
      const done = rows.filter(({ status }) => status === "delivered").length;
      return done === EXECUTIONS * WEBHOOKS ? true : undefined;
    },
    () => "not all have been delivered",
    150_000,
  );

  const rows = await sent();
  await store.close();
  const arrived = new Set(receiver.requests.map(({ headers }) => headers["webhook-id"]));
  expect(rows.length).toBe(EXECUTIONS * WEBHOOKS);
  expect(rows.filter(({ id }) => !arrived.has(id))).toEqual([]);
  expect(arrived.size).toBe(EXECUTIONS * WEBHOOKS);
  // Twice come those alone whose answer a killed node did not live to write.
  const twice = receiver.requests.length - arrived.size;
  expect(twice).toBeLessThanOrEqual(KILLS * 32);
}, 240_000);
