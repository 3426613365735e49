import type { SizedSegment } from "../store/log-chunks.ts";

/** After so much by this node it looks at how much is stored: a former owner may have stored more. */
const FIRST_LOOK_BYTES = 1024 * 1024;

/** Sees to it that no log in the store grows far beyond its limit while its container runs. */
export interface LogLimit {
  /** Parts of logs are stored: those that have outgrown the limit by now are cut. */
  stored(segments: readonly SizedSegment[]): Promise<void>;
  forget(executionId: string): void;
}

/** @param cut Cuts a log if it is time. @returns How much may be stored until it is to be asked again. */
export function createLogLimit(cut: (executionId: string) => Promise<number>): LogLimit {
  const rooms = new Map<string, number>();
  return {
    async stored(segments) {
      for (const { executionId, bytes } of segments) {
        rooms.set(executionId, (rooms.get(executionId) ?? FIRST_LOOK_BYTES) - bytes);
      }
      for (const executionId of new Set(segments.map((segment) => segment.executionId))) {
        if ((rooms.get(executionId) ?? 0) < 0) rooms.set(executionId, await cut(executionId));
      }
    },
    forget(executionId) {
      rooms.delete(executionId);
    },
  };
}
