export interface Repeated {
  /** Does it now, or once more when it is being done. */
  hurry(): void;
  stop(): Promise<void>;
}

/** Does the work at once and then again, so long after it was done. */
export function repeat(everyMs: number, work: () => Promise<void>): Repeated {
  let isStopped = false;
  let isWorking = false;
  let isHurried = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let current: Promise<void> = Promise.resolve();
  const turn = () => {
    clearTimeout(timer);
    isWorking = true;
    isHurried = false;
    current = work().finally(() => {
      isWorking = false;
      if (!isStopped) timer = setTimeout(turn, isHurried ? 0 : everyMs);
    });
  };
  turn();
  return {
    hurry() {
      if (isStopped) return;
      if (isWorking) isHurried = true;
      else turn();
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}
