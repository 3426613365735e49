import { destination, type Logger, pino } from "pino";

/** The service's log: one JSON line an event, on stderr. */
export function createLog(level: string): Logger {
  const options = { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` };
  return pino(options, destination({ fd: 2, sync: true }));
}
