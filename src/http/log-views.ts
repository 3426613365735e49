import { isLogDropped } from "../core/log-state.ts";
import type { ListedRow } from "../store/execution-lists.ts";
import { logStateOf } from "../store/log-sizes.ts";

/** What a list tells of a log; the size of what has not ended is not looked at. */
export function listedLogOf(row: Omit<ListedRow, "cursorAt">) {
  return {
    logState: logStateOf(row),
    logBytes: row.logBytes,
    logLines: row.logLines,
    ...(isLogDropped(row.keptLogs, row.status) ? { logDropped: true as const } : {}),
  };
}
