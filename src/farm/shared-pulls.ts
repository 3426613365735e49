import type { LogFrame } from "../core/log-frames.ts";
import { PullAborted, type PullRequest } from "./host.ts";

interface Pull {
  /** What was told of it so far, for who joins late. */
  frames: LogFrame[];
  waiters: Set<PullRequest>;
  /** Of all waiters: it ends when the last of them has given up. */
  abandoned: AbortController;
  done: Promise<void>;
}

/**
 * Has an image pulled once for all who want it at the same time with the same login, each of whom
 * may give up alone. Who comes when it is over has it pulled anew.
 *
 * @param pull One pull by the engine, until its signal says that nobody waits for it any more.
 */
export function sharedPulls(
  pull: (request: PullRequest) => Promise<void>,
): (request: PullRequest) => Promise<void> {
  const pulls = new Map<string, Pull>();

  const begin = (key: string, { image, login }: PullRequest): Pull => {
    const frames: LogFrame[] = [];
    const waiters: Pull["waiters"] = new Set();
    const abandoned = new AbortController();
    const onProgress = (fresh: LogFrame[]) => {
      frames.push(...fresh);
      for (const waiter of waiters) waiter.onProgress(fresh);
    };
    // A turn later, so that who began it hears all of it.
    const done = Promise.resolve()
      .then(() => pull({ image, login, signal: abandoned.signal, onProgress }))
      .finally(() => {
        if (pulls.get(key)?.waiters === waiters) pulls.delete(key);
      });
    return { frames, waiters, abandoned, done };
  };

  return async (request) => {
    const key = JSON.stringify([request.image, request.login]);
    const shared = pulls.get(key) ?? begin(key, request);
    pulls.set(key, shared);
    if (shared.frames.length > 0) request.onProgress([...shared.frames]);
    shared.waiters.add(request);
    try {
      await orGivenUp(shared.done, request);
    } finally {
      shared.waiters.delete(request);
      if (shared.waiters.size === 0 && pulls.get(key) === shared) {
        // At once: who comes now must not join a pull that is being given up.
        pulls.delete(key);
        shared.abandoned.abort();
      }
    }
  };
}

/** The pull's end, or an error of its own when this waiter gives up before. */
async function orGivenUp(done: Promise<void>, { image, signal }: PullRequest): Promise<void> {
  const givenUp = Promise.withResolvers<never>();
  const giveUp = () => givenUp.reject(new PullAborted(`Pull of "${image}": given up`));
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    await Promise.race([done, givenUp.promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
