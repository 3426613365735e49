const CONNECTION_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
]);

// Classes of SQLSTATE that tell of the server, not of the statement: connection (08), resources
// (53), operator's intervention such as a shutdown or a timeout (57), system (58), and a server
// that only reads (25006) after a failover.
const SERVER_STATES = /^(08|53|57|58)[0-9A-Z]{3}$|^25006$/;

/** Whether an error says that Postgres could not be used just now, and not that a statement was wrong. */
export function isDatabaseDown(error: unknown): boolean {
  for (
    let cause = error, depth = 0;
    cause instanceof Error && depth < 5;
    cause = cause.cause, depth++
  ) {
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
    if (CONNECTION_CODES.has(code) || SERVER_STATES.test(code)) return true;
    if (/Connection terminated|timeout exceeded when trying to connect/.test(cause.message))
      return true;
  }
  return false;
}

/** An error of a connection that was never made in a sentence of its own, any other as it is. */
export function connectFault(error: unknown, { host, port }: { host: string; port: number }) {
  const isSilent = error instanceof Error && "code" in error && error.code === "CONNECT_TIMEOUT";
  if (!isSilent) return error;
  const sentence = `Postgres at ${host}:${port} does not answer: it hangs, or the way to it is cut`;
  return new Error(sentence, { cause: error });
}

/** Whether a statement was given up since somebody else held a lock for longer than its `lock_timeout`. */
export function isLockBusy(error: unknown): boolean {
  return hasState(error, "55P03");
}

/** Whether a statement was given up since it took longer than its `statement_timeout`. */
export function isStatementTimeout(error: unknown): boolean {
  return hasState(error, "57014");
}

function hasState(error: unknown, state: string): boolean {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && "code" in cause && cause.code === state;
}
