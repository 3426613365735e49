/** Does the work at once and then again, so long after it was done. */
export function repeat(everyMs: number, work: () => Promise<void>): { stop(): Promise<void> } {
  let isStopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let current: Promise<void> = Promise.resolve();
  const turn = () => {
    current = work().finally(() => {
      if (!isStopped) timer = setTimeout(turn, everyMs);
    });
  };
  turn();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}
