/** A WebSocket of a client, as the routes know it; which server it belongs to is no matter of theirs. */
export interface Socket {
  /** Aborted when it is closed, by whom ever. */
  readonly closed: AbortSignal;
  /** @returns Whether it takes more at once; else wait until it is drained. */
  send(text: string): boolean;
  /** Resolves when what was sent has left, or when it is closed. */
  drained(): Promise<void>;
  close(code: number, reason: string): void;
}

/** A client that says nothing is pinged; one that does not answer for so long is gone. */
export const GONE_AFTER_SECONDS = 120;
/** Clients have nothing to say. */
export const MESSAGE_BYTES = 4 * 1024;

/** Sees to a socket from its opening on. */
export type SocketHandler = (socket: Socket) => void;

/** The reasons with which sockets are closed. */
export const CLOSED = {
  /** All was sent, and there will be no more. */
  done: [1000, "done"],
  /** The node stops; another, or the same one again, goes on from where this was. */
  retry: [1012, "retry"],
  /** It cannot go on, and could not a second time. */
  refused: [1008, "refused"],
  /** The token by which it was opened no longer counts. */
  revoked: [1008, "revoked"],
  expired: [1008, "expired"],
  /** A fault of the service. */
  failed: [1011, "retry"],
} as const;
