import { type Command, InvalidArgumentError } from "commander";
import type { Client } from "../client/client.ts";
import { followExecution } from "../client/events.ts";
import type { ClientFrame } from "../client/frames.ts";
import { pathOf, resolveExecution } from "../client/names.ts";
import { lastWritten, writtenLog } from "../client/written-log.ts";
import type { LogStream } from "../core/log-streams.ts";
import { createStatusLine } from "../terminal/status-line.ts";
import { clientOf, withClientOptions } from "./client-options.ts";
import { createLogOutput, flushed, type LogOutput } from "./log-output.ts";
import type { Surroundings } from "./program.ts";

interface LogsFlags {
  follow?: true;
  stdout?: true;
  stderr?: true;
  pull?: true;
  tail?: number;
  since?: string;
  timestamps?: true;
  json?: true;
}

export function addLogsCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("logs")
    .description("write the log of an execution: its stdout to stdout, its stderr to stderr")
    .argument("<name...>", "TASK [JOB [EXECUTION]], a URL of an answer, or an execution's id")
    .option("-f, --follow", "go on with what is written, until the execution has ended")
    .option("--stdout", "what was written to stdout")
    .option("--stderr", "what was written to stderr")
    .option("--pull", "how the pull of the image went on; to stderr")
    .option("-n, --tail <lines>", "only the last lines", lines)
    .option("--since <time>", "from then on: 10m ago, UNIX seconds or ISO 8601")
    .option("-t, --timestamps", "the time in front of each line");
  withClientOptions(command);
  command.action(async (words: string[]) => {
    const client = await clientOf(command, surroundings);
    await tell(client, words, command.opts<LogsFlags>(), surroundings);
  });
}

async function tell(
  client: Client,
  words: readonly string[],
  flags: LogsFlags,
  { environment }: Surroundings,
): Promise<void> {
  const path = pathOf(await resolveExecution(client, words));
  const { stdout, stderr } = process;
  const isPlain = (environment["NO_COLOR"] ?? "") !== "";
  const status = createStatusLine(stderr, isPlain);
  const output = flags.json
    ? jsonOutput()
    : createLogOutput({
        stdout,
        stderr,
        status,
        ...(flags.timestamps ? { prefixOf: ({ at }: ClientFrame) => `${at} ` } : {}),
      });
  const streams = streamsOf(flags);
  const { tail, since } = flags;
  let after = 0;
  const isWhole = tail === undefined && since === undefined;
  if (flags.follow !== true || !isWhole) {
    // What is written meanwhile stands in the log that is read next, and is followed from its end.
    if (flags.follow) after = await lastWritten(client, path);
    for await (const frames of writtenLog(client, path, { streams, tail, since })) {
      after = Math.max(after, frames.at(-1)?.seq ?? 0);
      await output.write(frames);
      if (output.isBroken) return;
    }
  }
  if (flags.follow) {
    const events = followExecution(client, path, {
      after,
      streams,
      onAway: (why) => status.show(`${why.message}; it goes on when the server is back`),
      onBack: () => status.show(null),
    });
    try {
      for await (const group of events) {
        await output.write(group.filter((event) => event.kind === "frame" || event.kind === "gap"));
        if (output.isBroken) return;
      }
    } finally {
      status.show(null);
    }
  }
  await output.end();
}

function streamsOf({ stdout, stderr, pull }: LogsFlags): readonly LogStream[] {
  const named: LogStream[] = [
    ...(stdout ? (["stdout"] as const) : []),
    ...(stderr ? (["stderr"] as const) : []),
    ...(pull ? (["pull"] as const) : []),
  ];
  return named.length === 0 ? ["stdout", "stderr"] : named;
}

/** A line for each frame, in the order in which Docker told of them. */
function jsonOutput(): Pick<LogOutput, "write" | "end" | "isBroken"> {
  let isBroken = false;
  process.stdout.on("error", () => {
    isBroken = true;
  });
  return {
    get isBroken() {
      return isBroken;
    },
    async write(frames) {
      const texts = frames.map((frame) => {
        if (frame.kind === "gap") return { seq: frame.seq, gap: { frames: frame.frames } };
        const { seq, stream, at } = frame;
        const data = Buffer.from(frame.data);
        const isText = data.equals(Buffer.from(data.toString()));
        const told = isText ? { data: data.toString() } : { base64: data.toString("base64") };
        return { seq, stream, at, ...told };
      });
      await flushed(process.stdout, texts.map((text) => `${JSON.stringify(text)}\n`).join(""));
    },
    end: async () => {},
  };
}

function lines(text: string): number {
  if (/^\d{1,7}$/.test(text) && Number(text) >= 1) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1.");
}
