import { destination, type Logger, pino } from "pino";

/** What waits to be written, at most; more than that is lost. */
const MOST_WAITING_BYTES = 1024 * 1024;

/**
 * The service's log: one JSON line an event, on stderr. Where it cannot be written, since its
 * terminal or reader is gone or its disk is full, lines are lost and the service goes on.
 */
export function createLog(level: string): Logger {
  const options = { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` };
  const stderr = destination({ fd: 2, sync: true, maxLength: MOST_WAITING_BYTES });
  stderr.on("error", () => {});
  return pino(options, stderr);
}
