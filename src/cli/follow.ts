import * as v from "valibot";
import { type Client, read } from "../client/client.ts";
import { type ExecutionEvent, followExecution, type State } from "../client/events.ts";
import type { ClientFrame } from "../client/frames.ts";
import type { StatusLine } from "../terminal/status-line.ts";
import type { LogOutput } from "./log-output.ts";
import { createPullProgress } from "./pull-progress.ts";

export interface FollowDeps {
  client: Client;
  output: LogOutput;
  status: StatusLine;
  /** Whether the lines of a pull are told where there is no terminal to show its progress. */
  isVerbose: boolean;
  /** A terminal is told when the server is away. */
  isTerminal: boolean;
  signal: AbortSignal;
  /** Whether it is followed on; asked after each group of what was written. */
  wantsMore(): boolean;
}

const Why = v.looseObject({ summary: v.string() });

/** How long something may wait before it is asked why, and from then on. */
const WHY_EVERY_MS = 2_000;

/**
 * Writes an execution's log as it comes, and on a terminal tells what it waits for.
 *
 * @param path Of the execution.
 * @returns How it ended; `null` when no more of it is wanted.
 */
export async function followToEnd(deps: FollowDeps, path: string): Promise<State | null> {
  const { client, output, status, isVerbose, isTerminal, signal } = deps;
  const progress = createPullProgress();
  let current: State["status"] = "enqueued";
  let isAway = false;
  let isOver = false;
  const why = setInterval(async () => {
    if (current !== "enqueued" || isAway || !isTerminal) return;
    const summary = await summaryOf(client, path);
    if (current === "enqueued" && !isAway && !isOver) status.show(summary);
  }, WHY_EVERY_MS);
  const onPullLine = async (line: string): Promise<void> => {
    if (current === "pulling" || current === "enqueued") status.show(progress(line));
    if (isVerbose && !isTerminal) await output.say(line);
  };
  const events = followExecution(client, path, {
    streams: isTerminal || isVerbose ? ["stdout", "stderr", "pull"] : ["stdout", "stderr"],
    signal,
    onAway(error) {
      isAway = true;
      status.show(`${error.message}; it goes on when the server is back`);
    },
    onBack() {
      isAway = false;
      status.show(null);
    },
  });
  try {
    for await (const group of events) {
      for (const event of group) {
        if (isPullLine(event)) {
          await onPullLine(Buffer.from(event.data).toString().trimEnd());
        } else if (event.kind === "status" || event.kind === "done") {
          if (current !== event.state.status) status.show(null);
          current = event.state.status;
        }
      }
      const frames = group.filter((event) => event.kind === "frame" || event.kind === "gap");
      const written = frames.filter((event) => !isPullLine(event));
      if (written.length > 0) {
        // The state may be told a little later than the first of the log.
        if (current === "enqueued" || current === "pulling") current = "running";
        status.show(null);
      }
      await output.write(written);
      if (!deps.wantsMore()) return null;
      const last = group.at(-1);
      if (last?.kind === "done") return last.state;
    }
    throw new Error("Cannot tell how the execution ended: its events had no end");
  } finally {
    isOver = true;
    clearInterval(why);
    status.show(null);
  }
}

function isPullLine(event: ExecutionEvent): event is ClientFrame {
  return event.kind === "frame" && event.stream === "pull";
}

async function summaryOf(client: Client, path: string): Promise<string | null> {
  try {
    return read(client, Why, await client.get(`${path}why/`)).summary;
  } catch {
    return null;
  }
}
