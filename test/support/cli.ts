import { existsSync } from "node:fs";

const BINARY = new URL("../../dist/fastlane", import.meta.url).pathname;
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const COMMAND = existsSync(BINARY) ? [BINARY] : [process.execPath, MAIN];
/** What a shell of a user would have, and no home with logins. */
const ENVIRONMENT = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" };

interface Finished {
  code: number;
  stdout: Buffer;
  stderr: string;
}

interface Running {
  kill(signal: NodeJS.Signals): void;
  /** Resolves when stdout has such a text. */
  untilSaid(text: string): Promise<void>;
  finished: Promise<Finished>;
}

interface CliOptions {
  env?: Record<string, string>;
  stdin?: string;
}

/** The program as a process of its own, without a terminal. */
export function startCli(args: string[], { env = {}, stdin = "" }: CliOptions = {}): Running {
  const child = Bun.spawn([...COMMAND, ...args], {
    cwd: "/",
    env: { ...ENVIRONMENT, ...env },
    stdin: Buffer.from(stdin),
    stdout: "pipe",
    stderr: "pipe",
  });
  const parts: Uint8Array[] = [];
  const said = createWaiting(() => Buffer.concat(parts).toString());
  const reading = (async () => {
    for await (const part of child.stdout) {
      parts.push(part);
      said.look();
    }
    return Buffer.concat(parts);
  })();
  const stderr = new Response(child.stderr).text();
  return {
    kill: (signal) => child.kill(signal),
    untilSaid: said.until,
    finished: Promise.all([child.exited, reading, stderr]).then(([code, out, err]) => ({
      code,
      stdout: out,
      stderr: err,
    })),
  };
}

export async function cli(args: string[], options: CliOptions = {}): Promise<Finished> {
  return await startCli(args, options).finished;
}

/** The program on a terminal of its own. */
export function startOnTerminal(args: string[], env: Record<string, string> = {}) {
  let screen = "";
  let typedAt = 0;
  const said = createWaiting(() => screen.slice(typedAt));
  const child = Bun.spawn([...COMMAND, ...args], {
    cwd: "/",
    env: { ...ENVIRONMENT, TERM: "xterm", ...env },
    terminal: {
      cols: 120,
      rows: 30,
      data(_, data) {
        screen += Buffer.from(data).toString();
        said.look();
      },
    },
  });
  return {
    type(keys: string) {
      typedAt = screen.length;
      child.terminal?.write(keys);
    },
    /** Resolves when such a text has been shown since the last keys were typed. */
    untilShown: said.until,
    /** All that was ever written to it. */
    screen: () => screen,
    exited: child.exited,
  };
}

function createWaiting(text: () => string) {
  const waiting = new Set<() => void>();
  return {
    look: () => {
      for (const each of waiting) each();
    },
    until: (part: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!text().includes(part)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
