import { execFile } from "node:child_process";
import { existsSync } from "node:fs";

const BINARY = new URL("../../dist/fastlane", import.meta.url).pathname;
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
export const COMMAND = existsSync(BINARY) ? [BINARY] : [process.execPath, MAIN];

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** A command as a program runs it: no terminal, nothing of this process's environment. */
export function fastlane(
  args: string[],
  { environment = {}, input = "" }: { environment?: Record<string, string>; input?: string } = {},
): Promise<Outcome> {
  const [program = "", ...first] = COMMAND;
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...environment };
  return new Promise((resolve) => {
    const child = execFile(program, [...first, ...args], { env, cwd: "/" }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}
