import { isLogDropped } from "../core/log-state.ts";
import type { Db } from "../store/connect.ts";
import type { ListedRow } from "../store/execution-lists.ts";
import { keptLogsOf, logSizeOf, logStateOf } from "../store/log-sizes.ts";
import type { ExecutionRow } from "../store/schema.ts";

/** What an execution's JSON tells of its log besides the text. */
export async function logOf(db: Db, row: ExecutionRow) {
  const [size, kept] = await Promise.all([logSizeOf(db, row), keptLogsOf(db, row.logDay)]);
  return {
    logState: logStateOf(row),
    logBytes: size.bytes,
    logLines: size.lines,
    ...cutOf(row),
    ...(isLogDropped(kept, row.status) ? { logDropped: true as const } : {}),
  };
}

/** What was left out of it, which can be more while it runs. */
function cutOf({ logCutAfter, logCutTo, logCutBytes, logCutLines }: ExecutionRow) {
  if (logCutAfter === null || logCutTo === null) return {};
  const left = { bytes: logCutBytes ?? 0, lines: logCutLines ?? 0 };
  return { logCut: { after: logCutAfter, to: logCutTo, ...left } };
}

/** The same in a list, where the size of what has not ended is not looked at. */
export function listedLogOf(row: Omit<ListedRow, "cursorAt">) {
  return {
    logState: logStateOf(row),
    logBytes: row.logBytes,
    logLines: row.logLines,
    ...(isLogDropped(row.keptLogs, row.status) ? { logDropped: true as const } : {}),
  };
}
