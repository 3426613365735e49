import type { LogStream } from "../core/log-frames.ts";
import type { Db } from "../store/connect.ts";
import { readStream } from "../store/log-chunks.ts";
import type { ExecutionRow } from "../store/schema.ts";

const BETWEEN_STREAMS = new TextEncoder().encode("\n-=-\n");

export type TextKind = "logs" | LogStream;

/** A log as plain text: one stream, or both with the reference's line between them. */
export function textAnswer(db: Db, row: ExecutionRow, kind: TextKind): Response {
  const parts = kind === "logs" ? bothStreams(db, row) : readStream(db, row.id, kind);
  const headers = new Headers({
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
  });
  if (row.exitCode !== null) headers.set("fastlane-exit-code", String(row.exitCode));
  return new Response(bodyOf(parts), { headers });
}

async function* bothStreams(db: Db, row: ExecutionRow): AsyncGenerator<Uint8Array> {
  yield* readStream(db, row.id, "stdout");
  yield BETWEEN_STREAMS;
  yield* readStream(db, row.id, "stderr");
}

/** A body that asks the store for more only when the client has taken what it has. */
function bodyOf(parts: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
}
