const UTF_8 = new TextEncoder();

/**
 * A body whose parts are made only when the client has taken what it has.
 *
 * @param partsUntil Makes the parts until its signal is aborted: when the client is gone, or by
 *   `over`, upon which the body ends at once.
 */
export function pulledBody(
  partsUntil: (signal: AbortSignal) => AsyncGenerator<string>,
  over: AbortSignal,
): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, over]);
  let parts: AsyncGenerator<string> | null = null;
  let isOpen = true;
  let forget = () => {};
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const end = () => {
          if (isOpen) controller.close();
          isOpen = false;
          forget();
        };
        if (parts === null) {
          parts = partsUntil(signal);
          over.addEventListener("abort", end, { once: true });
          // One that is made of others lives on with them while somebody listens to it.
          forget = () => over.removeEventListener("abort", end);
          if (over.aborted) end();
        }
        const { value, done } = await parts.next();
        if (done) end();
        else if (isOpen) controller.enqueue(UTF_8.encode(value));
      },
      cancel() {
        isOpen = false;
        forget();
        gone.abort();
      },
    },
    // With the usual one a part would be made before anybody asks for it, at a HEAD as well.
    { highWaterMark: 0 },
  );
}
