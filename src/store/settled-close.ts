import type { Socket } from "node:net";

/**
 * Lets postgres.js hear of an end in two steps: first the error, then, when it has written all that
 * follows from that, the close.
 *
 * postgres 3.4.9 forgets its socket at the close and only then fails the query under way: the
 * ROLLBACK of a transaction is written to `null`, which throws where nobody can catch it, or stays
 * in a buffer that is never sent again, and its connection never connects. For the same reason a
 * transaction must wait for nothing but its own statements: it would go on after the close.
 */
export function settleBeforeClose(socket: Socket): Socket {
  const emit = socket.emit;
  let error: unknown = null;
  socket.emit = function (this: Socket, event: string, ...values: unknown[]) {
    const tell = (name: string, ...told: unknown[]): boolean =>
      Reflect.apply(emit, this, [name, ...told]);
    if (event === "error") error = values[0];
    if (event !== "close") return tell(event, ...values);
    const reason = error ?? connectionClosed();
    if (error === null) tell("error", reason);
    setImmediate(() => {
      // What was sent meanwhile has gone nowhere.
      tell("error", reason);
      tell("close", ...values);
    });
    return true;
  } as Socket["emit"];
  return socket;
}

function connectionClosed(): Error {
  return Object.assign(new Error("Connection to Postgres closed by the other end"), {
    code: "ECONNRESET",
  });
}
