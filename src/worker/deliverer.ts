import { setTimeout as delay } from "node:timers/promises";
import { nextTryMs, type TryOutcome } from "../core/delivery.ts";
import { messageOf } from "../core/errors.ts";
import type { Db } from "../store/connect.ts";
import { type Attempt, nextDueInMs, recordAttempt, takeUpDeliveries } from "../store/deliveries.ts";
import type { DeliveryRow } from "../store/delivery-schema.ts";
import { isDatabaseDown } from "../store/faults.ts";
import type { Log } from "./log.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { persist } from "./persist.ts";
import { repeat } from "./repeat.ts";

/** Under way at once on a node, and of these to one receiver: a slow one must not hold up the rest. */
const AT_ONCE = 32;
const AT_ONCE_TO_ONE = 6;
/** A word about something due may be lost. */
const LOOK_EVERY_MS = 5_000;
/** What is due and locked by another node is looked at again after so long. */
const LEAST_WAIT_MS = 50;
/** What is under way when the node stops has so long to come to its end. */
const STOP_WITHIN_MS = 4_000;
/** What cannot be written by then is sent once more, by whoever finds it forgotten. */
const RECORD_WITHIN_MS = 8_000;

export interface DelivererDeps {
  db: Db;
  log: Log;
  metrics: Pick<WorkerMetrics, "delivered">;
  backoff: { minMs: number; factor: number };
  /** Names of the service's webhooks that this node's configuration has. */
  known(): readonly string[];
  /** Sends it, and tells what came of it; rejects only for a fault of our own. */
  send(delivery: DeliveryRow, signal: AbortSignal): Promise<Sent>;
}

export interface Sent extends TryOutcome, Omit<Attempt, "try" | "ok"> {}

/** Sends what is due, from this node, until it is stopped. Any number of nodes do so together. */
export interface Deliverer {
  /** Something may be due. */
  hurry(): void;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

export function startDeliverer(deps: DelivererDeps): Deliverer {
  const { db, log } = deps;
  const cutOff = new AbortController();
  const underWay = new Map<Promise<void>, string>();
  let isStopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const begin = (delivery: DeliveryRow) => {
    const sending = deliver(deps, delivery, cutOff.signal).finally(() => {
      underWay.delete(sending);
      looking.hurry();
    });
    underWay.set(sending, delivery.receiver);
  };
  const takeUp = async () => {
    while (!isStopped && underWay.size < AT_ONCE) {
      const busy = busyReceivers([...underWay.values()]);
      const known = deps.known();
      // Few at a time, so that no receiver gets all there is room for.
      const taken = await takeUpDeliveries(
        db,
        Math.min(AT_ONCE - underWay.size, AT_ONCE_TO_ONE),
        busy,
        known,
      );
      for (const delivery of taken) begin(delivery);
      if (taken.length > 0) continue;
      const dueMs = await nextDueInMs(db, busy, known);
      clearTimeout(timer);
      if (dueMs !== null && dueMs < LOOK_EVERY_MS) {
        timer = setTimeout(() => looking.hurry(), Math.max(LEAST_WAIT_MS, dueMs));
      }
      return;
    }
  };
  const looking = repeat(LOOK_EVERY_MS, async () => {
    try {
      await takeUp();
    } catch (error) {
      if (!isDatabaseDown(error))
        log.error({ error: messageOf(error) }, "could not look for deliveries");
    }
  });

  return {
    hurry: looking.hurry,
    async stop() {
      isStopped = true;
      await looking.stop();
      clearTimeout(timer);
      const all = Promise.all(underWay.keys());
      const isInTime = await Promise.race([all.then(() => true), delay(STOP_WITHIN_MS, false)]);
      if (!isInTime) cutOff.abort();
      await all;
    },
  };
}

/** Never rejects. */
async function deliver(
  { db, log, metrics, backoff, send }: DelivererDeps,
  delivery: DeliveryRow,
  signal: AbortSignal,
): Promise<void> {
  const { id, kind, event, executionId, tries } = delivery;
  try {
    const { isFinal, retryAfterSeconds, ...sent } = await sendOrGiveUp(send, delivery, signal);
    const outcome = { ok: sent.ok, isFinal, retryAfterSeconds };
    const usual = nextTryMs(backoff, delivery, outcome, Math.random());
    const next = usual !== null && signal.aborted ? 0 : usual;
    // Also of what was cut off by the stop: another node takes it up at once.
    await persist(AbortSignal.timeout(RECORD_WITHIN_MS), () =>
      recordAttempt(db, delivery, sent, next),
    );
    const { ok, code, error, durationMs } = sent;
    const came = ok ? "delivered" : next === null ? "dead" : "failed";
    metrics.delivered(kind, came, durationMs / 1_000);
    const told = { executionId, deliveryId: id, kind, event, outcome: came, code, try: tries };
    log[ok ? "info" : "warn"]({ ...told, durationMs, error }, "delivery");
  } catch (error) {
    // It stays taken up, and is due again when that is over.
    log.error({ executionId, deliveryId: id, error: messageOf(error) }, "could not deliver");
  }
}

/** What was cut off by the stop of the node may have arrived, and is sent once more; so is what we failed at ourselves. */
async function sendOrGiveUp(
  send: DelivererDeps["send"],
  delivery: DeliveryRow,
  signal: AbortSignal,
): Promise<Sent> {
  const at = new Date();
  try {
    return await send(delivery, signal);
  } catch (error) {
    if (!signal.aborted && isDatabaseDown(error)) throw error;
    const nothing = { isFinal: false, retryAfterSeconds: null, code: null, answer: "" };
    const durationMs = Date.now() - at.getTime();
    const why = signal.aborted
      ? "The node stopped before it was answered"
      : `fastlane could not send it: ${messageOf(error)}`;
    return { ok: false, at, durationMs, ...nothing, error: why };
  }
}

function busyReceivers(receivers: readonly string[]): string[] {
  const counts = Map.groupBy(receivers, (receiver) => receiver);
  return [...counts].flatMap(([receiver, all]) => (all.length < AT_ONCE_TO_ONE ? [] : [receiver]));
}
