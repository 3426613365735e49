import { destination, type Logger, pino } from "pino";

/** What waits to be written, at most; more than that is lost. */
const MOST_WAITING_BYTES = 1024 * 1024;

/** Fields that no line is to have: where one has them all the same, their values are not told. */
const NEVER_TOLD = ["password", "secret", "token", "authorization", "request", "env", "headers"];

/**
 * The service's log: one JSON line an event, on stderr. Where it cannot be written, since its
 * terminal or reader is gone or its disk is full, lines are lost and the service goes on.
 */
export function createLog(level: string): Logger {
  const stderr = destination({ fd: 2, sync: true, maxLength: MOST_WAITING_BYTES });
  stderr.on("error", () => {});
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      // By their names: whoever reads the journal does not know the numbers.
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: NEVER_TOLD.flatMap((name) => [name, `*.${name}`]), censor: "***" },
    },
    stderr,
  );
}
