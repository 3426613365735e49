import type { TokenEnd } from "../stream/token-watch.ts";

/** What a request's credentials are good for, and until when. */
export interface Session {
  /** `null` is never. */
  expiresAt: Date | null;
  /** Whether they are for a task. */
  isFor(taskId: string): Promise<boolean>;
  /** Tells when they no longer count. @returns What ends the telling. */
  follow(onEnd: (reason: TokenEnd) => void): () => void;
}

/** Of whoever needs no token. */
export const ENDLESS: Session = {
  expiresAt: null,
  isFor: async () => true,
  follow: () => () => {},
};

/** Aborted with another signal, or when credentials no longer count. */
interface Allowance extends Disposable {
  until: AbortSignal;
}

export function allowanceOf(session: Session, signal: AbortSignal): Allowance {
  const over = new AbortController();
  const leave = session.follow(() => over.abort());
  return { until: AbortSignal.any([signal, over.signal]), [Symbol.dispose]: leave };
}

/**
 * The parts of an answer that stays open, until the credentials that it was asked for with no
 * longer count.
 *
 * @param signal What else ends it.
 */
export async function* whileAllowed<Part>(
  session: Session,
  signal: AbortSignal,
  partsUntil: (signal: AbortSignal) => AsyncGenerator<Part>,
): AsyncGenerator<Part> {
  using allowance = allowanceOf(session, signal);
  yield* partsUntil(allowance.until);
}
