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
  return runCommand([...COMMAND, ...args], environment);
}

/** The same where no file takes more than 100 KiB. */
export function runOnSmallDisk(
  args: string[],
  environment: Record<string, string>,
): Promise<Outcome> {
  const small = ["bash", "-c", "ulimit -f 100; trap '' XFSZ; exec \"$@\"", "bash"];
  return runCommand([...small, ...COMMAND, ...args], environment);
}

function runCommand(
  [program = "", ...args]: string[],
  environment: Record<string, string>,
): Promise<Outcome> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...environment };
  return new Promise((resolve) => {
    const child = execFile(program, args, { env, cwd: "/" }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
