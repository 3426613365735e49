import { execFile } from "node:child_process";
import { existsSync } from "node:fs";

const BINARY = new URL("../../dist/fastlane", import.meta.url).pathname;
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const COMMAND = existsSync(BINARY) ? [BINARY] : [process.execPath, MAIN];

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the compiled program, or what it is compiled from where there is none yet. */
export function run(args: string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const [program = "", ...first] = COMMAND;
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...environment };
  return new Promise((resolve) => {
    const child = execFile(program, [...first, ...args], { env, cwd: "/" }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
