import type { ClientFrame, FrameGap } from "../client/frames.ts";
import { messageOf } from "../core/errors.ts";
import { createSafeText } from "../terminal/safe-text.ts";
import type { StatusLine } from "../terminal/status-line.ts";

/** What is needed of `process.stdout` and `process.stderr`. */
export interface Output {
  readonly isTTY?: boolean;
  write(data: Uint8Array | string, done: (error?: Error | null) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** Where a log is written: byte for byte on a pipe, and without what would harm on a terminal. */
export interface LogOutput {
  /** @returns When all of it is written. */
  write(frames: readonly (ClientFrame | FrameGap)[]): Promise<void>;
  /** A line of fastlane's own, on stderr. */
  say(line: string): Promise<void>;
  /** Behind the last of a log: no colour stays on. */
  end(): Promise<void>;
  /** What is written to stdout reaches nobody any more. */
  readonly isBroken: boolean;
  /** It is so because its reader has gone, which is no fault. */
  readonly hasLostReader: boolean;
}

export interface LogOutputOptions {
  stdout: Output;
  stderr: Output;
  status: StatusLine;
  /** What stands in front of a frame that begins a line. */
  prefixOf?(frame: ClientFrame): string;
}

const NEWLINE = 0x0a;

export function createLogOutput(options: LogOutputOptions): LogOutput {
  const { stdout, stderr, status, prefixOf = () => "" } = options;
  let isBroken = false;
  let hasLostReader = false;
  let hasColours = false;
  const atLineStart = { stdout: true, stderr: true };
  const shown = { stdout: shownBy(stdout), stderr: shownBy(stderr) };
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that has gone wants no more; whatever else fails has lost what it was to keep.
    if (error.code !== "EPIPE" && !isBroken) {
      stderr.write(`fastlane: Cannot write the log: ${messageOf(error)}\n`, () => {});
    }
    isBroken = true;
    hasLostReader ||= error.code === "EPIPE";
  });
  stderr.on("error", () => {});

  const put = async (to: "stdout" | "stderr", bytes: Uint8Array): Promise<void> => {
    if (bytes.length === 0 || (to === "stdout" && isBroken)) return;
    const output = to === "stdout" ? stdout : stderr;
    if (output.isTTY !== true) return await flushed(output, bytes);
    const text = shown[to](bytes);
    status.wipe();
    await flushed(output, text);
    hasColours ||= text.includes("\u001b");
    status.wrote(text === "" ? status.isAtLineStart : text.endsWith("\n"));
  };
  const partOf = (frame: ClientFrame | FrameGap): { to: "stdout" | "stderr"; data: Uint8Array } => {
    if (frame.kind === "gap") return { to: "stderr", data: Buffer.from(`${gapLine(frame)}\n`) };
    const to = frame.stream === "stdout" ? "stdout" : "stderr";
    const prefix = atLineStart[to] ? prefixOf(frame) : "";
    atLineStart[to] = frame.data.at(-1) === NEWLINE;
    return {
      to,
      data: prefix === "" ? frame.data : Buffer.concat([Buffer.from(prefix), frame.data]),
    };
  };
  return {
    get isBroken() {
      return isBroken;
    },
    get hasLostReader() {
      return hasLostReader;
    },
    async write(frames) {
      let run: { to: "stdout" | "stderr"; datas: Uint8Array[] } | null = null;
      for (const frame of frames) {
        const { to, data } = partOf(frame);
        if (run !== null && run.to !== to) {
          await put(run.to, Buffer.concat(run.datas));
          run = null;
        }
        run ??= { to, datas: [] };
        run.datas.push(data);
      }
      if (run !== null) await put(run.to, Buffer.concat(run.datas));
    },
    async say(line) {
      status.wipe();
      await flushed(stderr, `${status.isAtLineStart ? "" : "\n"}${line}\n`);
      status.wrote(true);
    },
    async end() {
      status.wipe();
      if (hasColours) await flushed(stdout.isTTY === true ? stdout : stderr, "\u001b[0m");
    },
  };
}

function gapLine({ frames }: FrameGap): string {
  const what = frames === 1 ? "1 line is" : `${frames} lines are`;
  return `fastlane: ${what} no longer kept here, of both streams together`;
}

/** Each stream has colours and cut characters of its own. */
function shownBy(output: Output): (bytes: Uint8Array) => string {
  if (output.isTTY !== true) return () => "";
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const safe = createSafeText();
  return (bytes) => safe(decoder.decode(bytes, { stream: true }));
}

/** A pipe whose reader has gone is no error of ours: `isBroken` tells. */
export function flushed(output: Output, data: Uint8Array | string): Promise<void> {
  if (data.length === 0) return Promise.resolve();
  return new Promise((resolve) => {
    output.write(data, () => resolve());
  });
}
