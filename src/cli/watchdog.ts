/** So many looks within the time after which it is killed: what lasts for one is no reason yet. */
const LOOKS = 4;

export interface WatchdogDeps {
  /** After so long without a sign of life the service is killed; `null`: nobody watches. */
  afterMs: number | null;
  /** What is wrong with the service, as a sentence; `null` when it works or waits for others. */
  fault(): Promise<string | null>;
  tell(...lines: string[]): Promise<void>;
  /** What the service does when all is well. */
  status: string;
  log: { error(fields: object, event: string): void };
}

/**
 * Gives signs of life as long as the service is well. It gives none while the event loop stands
 * still, since no timer fires then, nor while a look at the service does not come to an end.
 */
export function feedWatchdog({ afterMs, fault, tell, status, log }: WatchdogDeps): Disposable {
  if (afterMs === null) return { [Symbol.dispose]() {} };
  let isLooking = false;
  let before: string | null = null;

  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      const now = await fault();
      if (now === null) await tell("WATCHDOG=1", ...(before === null ? [] : [`STATUS=${status}`]));
      else if (now !== before) {
        log.error({ fault: now }, "is unwell, and gives the watchdog no sign of life");
        await tell(`STATUS=${now}`);
      }
      before = now;
    } finally {
      isLooking = false;
    }
  }

  const timer = setInterval(() => void look(), afterMs / LOOKS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
