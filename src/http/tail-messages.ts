import type { TailEntry, TailNews } from "../stream/tail-queue.ts";
import { gapText } from "./log-messages.ts";

type Format = "text" | "json";

/** Of one line there may be many readers. */
const encoded = { text: new WeakMap<TailEntry, string>(), json: new WeakMap<TailEntry, string>() };

/** As messages of a socket: whole lines of text in one, or one for each thing that is told. */
export function tailMessages({ missed, entries }: TailNews, format: Format): string[] {
  const parts = entries.map((entry) => encodedOf(entry, format));
  if (format === "json") {
    return missed === 0 ? parts : [JSON.stringify({ missed }), ...parts];
  }
  const text = (missed === 0 ? "" : missedText(missed)) + parts.join("");
  return text === "" ? [] : [text];
}

function missedText(lines: number): string {
  return `[fastlane: ${lines} lines missed here]\n`;
}

function encodedOf(entry: TailEntry, format: Format): string {
  const known = encoded[format].get(entry);
  if (known !== undefined) return known;
  const text = format === "text" ? textOf(entry) : JSON.stringify(frameOf(entry));
  encoded[format].set(entry, text);
  return text;
}

/** Nothing of what is no line: it would have to be told from one. */
function textOf(entry: TailEntry): string {
  const { taskId, id } = entry.of;
  const name = `${taskId} ${id.slice(0, 8)} | `;
  if (entry.kind === "gap") return name + gapText(entry.frames);
  if (entry.kind !== "line") return "";
  const { data } = entry.line;
  return name + (data.endsWith("\n") ? data : `${data}\n`);
}

function frameOf(entry: TailEntry) {
  const { taskId: task, jobId: job, id: execution, host } = entry.of;
  const name = { task, job, execution, host };
  if (entry.kind === "began") return { ...name, began: true };
  if (entry.kind === "ended") return { ...name, ended: entry.status };
  if (entry.kind === "gap") return { ...name, seq: entry.seq, gap: { frames: entry.frames } };
  return { ...name, ...entry.line };
}
