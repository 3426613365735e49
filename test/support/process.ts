import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { inheriting } from "./held-socket.ts";
import { dataDirOfTests } from "./secrets.ts";

export interface FastlaneProcess extends AsyncDisposable {
  url: string;
  pid: number;
  /** What it wrote to stderr so far, its log among it. */
  stderr(): string;
  stdout(): string;
  /** Sends a signal and resolves with the exit code, `null` when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Resolves when the process has ended, by whatever. */
  ended: Promise<unknown>;
}

const BINARY = new URL("../../dist/fastlane", import.meta.url).pathname;

/** The compiled binary as a process of its own. Resolves when it says that it listens. */
export async function startFastlane(options: {
  /** What runs in place of the compiled binary. */
  program?: readonly string[];
  command?: "up" | "api" | "worker";
  args?: string[];
  environment: Record<string, string>;
  /** What it gets when this process is gone. A frozen one is ended by KILL alone. */
  deathSignal?: "TERM" | "KILL";
  /** The descriptor of a socket that listens, for the process to serve by. */
  socket?: number;
}): Promise<FastlaneProcess> {
  const own = [...(options.program ?? [BINARY]), options.command ?? "up", ...(options.args ?? [])];
  const { socket } = options;
  const command = socket === undefined ? own : inheriting(own);
  // A killed test must not leave its service behind.
  const child = spawn("setpriv", ["--pdeathsig", options.deathSignal ?? "TERM", ...command], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: "/nonexistent",
      FASTLANE_PORT: "0",
      // There is nobody who would have to turn to another node; a version before has no such key.
      ...(options.program === undefined && { FASTLANE_STOP_DELAY_SECONDS: "0" }),
      FASTLANE_DATA_DIR: dataDirOfTests(),
      ...options.environment,
    },
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe", ...(socket === undefined ? [] : [socket])],
  });
  let stderr = "";
  child.stderr?.on("data", (bytes) => {
    stderr += String(bytes);
  });
  let stdout = "";
  child.stdout?.on("data", (bytes) => {
    stdout += String(bytes);
  });
  const ended = once(child, "exit");
  const lines = "NOTIFY_SOCKET" in options.environment ? child.stderr : child.stdout;
  const url = await urlOf(lines, ended).catch((error: unknown) => {
    throw new Error(`fastlane did not start: ${stderr}`, { cause: error });
  });
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await ended;
    }
    return child.exitCode;
  };
  return {
    url,
    pid: child.pid ?? 0,
    stderr: () => stderr,
    stdout: () => stdout,
    end,
    ended,
    async [Symbol.asyncDispose]() {
      await end("SIGTERM");
    },
  };
}

/**
 * The URL of the line that tells that it listens; empty for a process without the API. One that tells
 * a service manager has that line in its log, among others.
 */
async function urlOf(output: Readable | null, ended: Promise<unknown>): Promise<string> {
  if (output === null) throw new Error("no output");
  const lines = createInterface({ input: output });
  const told = Promise.withResolvers<string>();
  lines.on("line", (line: string) => {
    if (/^fastlane |"msg":"(?:listens|runs jobs)"/.test(line)) told.resolve(line);
  });
  const line = await Promise.race([told.promise, ended.then(() => null)]);
  if (line === null) throw new Error("it ended");
  return /http:\/\/[^\s;"]+/.exec(line)?.[0] ?? "";
}
