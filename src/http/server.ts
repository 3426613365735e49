import type { createHttpApp } from "./app.ts";

/** What serves the app: Bun's own server, or Node's. Which of them, `#http-server` of package.json says. */
export interface HttpServer {
  readonly port: number;
  /**
   * Takes no new connection from now on. What is being answered may finish; the rest is cut.
   *
   * @param onAccepted Called when no new one is taken any more: who waits can be sent elsewhere.
   */
  stop(onAccepted: () => void): Promise<void>;
}

export type ServedApp = Pick<ReturnType<typeof createHttpApp>, "fetch">;

/** Where a server listens. */
export interface ListenAddress {
  host: string;
  /** 0 for any that is free. */
  port: number;
  /** Several processes of the same user may listen there. */
  reusePort: boolean;
  /** The descriptor of a socket that listens there already. */
  inheritedSocket: number | null;
}

/** What is being answered when the server stops may finish within this time; then it is cut. */
export const STOP_WITHIN_MS = 5_000;
/** A log may be read page by page; by default the reader would be cut off much earlier. */
export const READER_MAY_PAUSE_SECONDS = 240;
