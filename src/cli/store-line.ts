import type { StatusAnswer } from "../client/farm-answers.ts";
import { bytesWords } from "../core/amounts.ts";
import { fromNow } from "../terminal/amounts.ts";
import { safeLine } from "../terminal/safe-text.ts";
import type { Screen } from "./screen.ts";

/** How large the store is, how it grows, and when it is pruned. */
export function storeLine({ store }: StatusAnswer, { colours, columns, now }: Screen): string {
  if (store === undefined) return "";
  const { bytes, logsBytes, growthBytesPerDay: growth, oldestLogDay, prune } = store;
  const parts = [`store ${bytesWords(bytes)}, logs ${bytesWords(logsBytes)}`];
  if (growth !== null) {
    parts.push(`${growth < 0 ? "-" : "+"}${bytesWords(Math.abs(growth))} a day`);
  }
  if (oldestLogDay !== null) parts.push(`logs since ${safeLine(oldestLogDay)}`);
  if (prune.isRunning) parts.push("being pruned");
  else if (prune.nextAt !== null) parts.push(`next prune ${fromNow(new Date(prune.nextAt), now)}`);
  let line = "";
  for (const part of parts) {
    const longer = line === "" ? part : `${line}  ${part}`;
    // What does not fit is in `--json`.
    if (columns === null || longer.length <= columns) line = longer;
  }
  const { result } = prune;
  const failed = result !== null && "error" in result ? result.error : null;
  const fault =
    failed === null ? "" : `${colours.red(`the last prune failed: ${safeLine(failed)}`)}\n`;
  return `${colours.dim(line)}\n${fault}`;
}
