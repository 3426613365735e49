import { sql } from "drizzle-orm";
import type { LogFrame } from "../../src/core/log-frames.ts";
import { openStore } from "../../src/store/connect.ts";
import { insertLogSegments, type LogSegment } from "../../src/store/log-chunks.ts";
import type { TestApp } from "./app.ts";
import { type Enqueued, enqueue } from "./client.ts";

export type Chunk = Pick<LogSegment, "seq" | "frames">;

/** A frame of one millisecond after the other. */
export function frame(stream: LogFrame["stream"], data: string | Uint8Array, atMs = 0): LogFrame {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const ms = 1_700_000_000_000 + atMs;
  return {
    stream,
    at: { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 },
    data: bytes,
  };
}

/** Gives frames their numbers, as neighbours, in chunks of so many. */
export function chunksOf(frames: readonly LogFrame[], each: number): Chunk[] {
  return Array.from({ length: Math.ceil(frames.length / each) }, (_, i) => ({
    seq: i * each + 1,
    frames: frames.slice(i * each, (i + 1) * each),
  }));
}

/** An execution of an app without a worker, with a log that was never printed. */
export async function storedLog(
  app: TestApp,
  chunks: Iterable<Chunk>,
  { hasEnded = true, task = "stored" } = {},
): Promise<Enqueued> {
  const job = await enqueue(app.url, task, { command: "true" });
  const { executionId } = job;
  const store = openStore({ address: app.database.address, max: 1 });
  for (const chunk of chunks) {
    await store.db.transaction((tx) => insertLogSegments(tx, [{ executionId, ...chunk }]));
  }
  if (hasEnded) {
    await store.db.execute(sql`
      UPDATE fastlane.executions SET status = 'done', exit_code = 0, finished_at = now()
      WHERE id = ${executionId}`);
  }
  await store.close();
  return job;
}
