/**
 * Runs work once at a time. What is requested while it runs is done once more, after it.
 *
 * @returns A request; its promise is that of a run which began after it.
 */
export function coalesced<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | null = null;
  let following: Promise<Result> | null = null;
  const begin = () => {
    running = work().finally(() => {
      running = null;
    });
    return running;
  };
  return () => {
    if (running === null) return begin();
    following ??= running
      .catch(() => {})
      .then(() => {
        following = null;
        return running ?? begin();
      });
    return following;
  };
}
