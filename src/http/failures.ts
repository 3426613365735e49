import { LRUCache } from "lru-cache";
import { addressGroup, slowDownSeconds } from "../core/slow-down.ts";

const FORGOTTEN_AFTER_MS = 15 * 60_000;
/** Addresses of which something is kept. */
const KEPT = 10_000;

/** Who gave wrong credentials lately, by address. */
export interface Failures {
  /** For how many seconds an address is not listened to; 0 is not at all. */
  waitSeconds(address: string): number;
  add(address: string): void;
  forget(address: string): void;
}

/** @param now In milliseconds, from any moment on. */
export function createFailures(now: () => number = () => performance.now()): Failures {
  const failures = new LRUCache<string, { inARow: number; until: number }>({
    max: KEPT,
    ttl: FORGOTTEN_AFTER_MS,
    ttlResolution: 0,
    perf: { now },
  });
  return {
    waitSeconds(address) {
      const { until = 0 } = failures.get(addressGroup(address)) ?? {};
      return Math.max(0, Math.ceil((until - now()) / 1_000));
    },
    add(address) {
      const group = addressGroup(address);
      const inARow = (failures.get(group)?.inARow ?? 0) + 1;
      failures.set(group, { inARow, until: now() + slowDownSeconds(inARow) * 1_000 });
    },
    forget: (address) => void failures.delete(addressGroup(address)),
  };
}
