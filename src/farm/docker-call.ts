import * as v from "valibot";
import { messageOf } from "../core/errors.ts";
import { faultWords } from "./fault-words.ts";
import { EngineRefusal, HostUnreachable } from "./host.ts";

const EngineError = v.object({
  statusCode: v.number(),
  json: v.optional(v.unknown()),
});
const EngineMessage = v.object({ message: v.string() });

/**
 * Makes one call to an engine with a deadline, and tells its failures apart.
 *
 * docker-modem has no deadline of its own (and its `timeout` option leaves the promise open for
 * ever); an aborted answer may leave it open as well, so the deadline is raced and not only passed on.
 *
 * @throws {HostUnreachable} No answer in time, no connection, or a fault of the engine (5xx).
 * @throws {EngineRefusal} The engine says no (4xx).
 */
export async function engineCall<T>(
  what: string,
  deadlineMs: number,
  call: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const signal = outer === undefined ? deadline : AbortSignal.any([deadline, outer]);
  let stopWaiting = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () =>
      reject(
        new HostUnreachable(
          deadline.aborted ? `${what}: no answer within ${deadlineMs} ms` : `${what}: given up`,
          { isTimeout: deadline.aborted },
        ),
      );
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    stopWaiting = () => signal.removeEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([call(signal), aborted]);
  } catch (error) {
    throw toHostError(what, error);
  } finally {
    stopWaiting();
  }
}

/** The status and words of an engine's answer that was no success; `null` when there was no answer. */
export function engineAnswer(error: unknown): { statusCode: number; message: string } | null {
  const parsed = v.safeParse(EngineError, error);
  if (!parsed.success) return null;
  const body = v.safeParse(EngineMessage, parsed.output.json);
  return {
    statusCode: parsed.output.statusCode,
    message: body.success ? body.output.message : withoutPrefix(messageOf(error)),
  };
}

// Of a streamed answer docker-modem keeps the words alone, behind a prefix of its own.
const withoutPrefix = (message: string) => message.replace(/^\(HTTP code \d+\) .*? - /, "").trim();

const REDIRECTED = "it answers with a redirect to elsewhere, as no Docker engine does";

export function toHostError(what: string, error: unknown): Error {
  if (error instanceof HostUnreachable || error instanceof EngineRefusal) return error;
  const answer = engineAnswer(error);
  if (answer === null) {
    return new HostUnreachable(`${what}: ${faultWords(error) ?? messageOf(error)}`, {
      cause: error,
    });
  }
  if (answer.statusCode >= 400 && answer.statusCode < 500) {
    return new EngineRefusal(answer.statusCode, answer.message);
  }
  const words = answer.statusCode < 400 ? REDIRECTED : answer.message;
  return new HostUnreachable(`${what}: ${words}`, { answered: true });
}

/** `null` where the engine says that there is nothing of that name. */
export async function orNotFound<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof EngineRefusal && error.statusCode === 404) return null;
    throw error;
  }
}
