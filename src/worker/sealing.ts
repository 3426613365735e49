import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../core/errors.ts";
import type { Secrets } from "../payload/sealed.ts";
import { sealClear } from "../services/seal-clear.ts";
import type { Db } from "../store/connect.ts";
import { isDatabaseDown } from "../store/faults.ts";
import type { Log } from "./log.ts";

const TRY_AGAIN_AFTER_MS = 10_000;

export interface SealingDeps {
  db: Db;
  log: Pick<Log, "info" | "error">;
  secrets: Secrets;
  /** Resolves when rows may be sealed. */
  allowed: Promise<void>;
  /** Puts names in place of the webhooks of the configuration. */
  rewrite(): Promise<void>;
}

/** Seals what was written in clear, once that is allowed. What comes later is housekeeping's. */
export function startSealing({ db, log, secrets, allowed, rewrite }: SealingDeps): {
  stop(): Promise<void>;
} {
  const stopping = new AbortController();
  const { signal } = stopping;
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve());
  });
  const work = async () => {
    await Promise.race([allowed, stopped]);
    while (!signal.aborted) {
      try {
        await rewrite();
        await sealRest({ db, log, secrets }, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!isDatabaseDown(error)) log.error({ error: messageOf(error) }, "could not seal");
        await delay(TRY_AGAIN_AFTER_MS, undefined, { signal }).catch(() => {});
      }
    }
  };
  const working = work();
  return {
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

/** Seals what is in clear, if that is allowed. */
export async function sealRest(
  { db, log, secrets }: Pick<SealingDeps, "db" | "log" | "secrets">,
  signal: AbortSignal,
): Promise<void> {
  const sealer = secrets.sealer();
  if (sealer === null) return;
  const sealed = await sealClear(db, sealer, signal);
  if (Object.values(sealed).some((count) => count > 0)) {
    log.info({ ...sealed }, "sealed secrets that were written in clear");
  }
}
