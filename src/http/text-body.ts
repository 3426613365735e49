import { messageOf } from "../core/errors.ts";
import type { HttpDeps } from "./context.ts";

const UTF_8 = new TextEncoder();

/**
 * A body that asks for more only when the client has taken what it has. Where the parts fail it
 * breaks off, which no client takes for its end.
 */
export function bodyOf(
  { log }: { log: Pick<HttpDeps["log"], "error"> },
  parts: AsyncGenerator<string | Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const part = await parts.next().catch((error: unknown) => {
          log.error({ error: messageOf(error) }, "could not go on with an answer");
          return null;
        });
        // Without a reason: Bun would print it on stderr, with lines of the source.
        if (part === null) controller.error();
        else if (part.done) controller.close();
        else {
          const { value } = part;
          controller.enqueue(typeof value === "string" ? UTF_8.encode(value) : value);
        }
      },
      async cancel() {
        await parts.return(undefined);
      },
    },
    // With the usual one a part would be made before anybody asks for it, at a HEAD as well.
    { highWaterMark: 0 },
  );
}

/** What the parts of a body wait for; `null` when the signal comes first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(null);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    // A signal that is made of others lives on with them while somebody listens to it.
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
