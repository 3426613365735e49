import { isatty } from "node:tty";

const STANDARD_STREAMS = [0, 1, 2];

/**
 * What this process was started on.
 *
 * @returns Tells whether there was a terminal and it is gone: closed, or its connection lost.
 */
export function watchOwnTerminal(): () => boolean {
  const terminals = STANDARD_STREAMS.filter((stream) => isatty(stream));
  return () => terminals.some((stream) => !isatty(stream));
}
