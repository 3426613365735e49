import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../support/free-port.ts";
import { type FastlaneProcess, startFastlane } from "../support/process.ts";

const START_LIMIT_MS = 60_000;

/** One fastlane on a port that stays the same, so that its clients find it again. */
export interface Node {
  name: string;
  url: string;
  /** Resolves when it listens again; tries anew while its store is away. */
  start(): Promise<void>;
  /** Resolves when it has ended. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** Each time that it ended in a way in which it must not, in words. */
  wrongEnds: string[];
  /** All that it wrote to stderr, over all its processes. */
  log(): string;
}

export async function startNode(name: string, environment: Record<string, string>): Promise<Node> {
  const port = await freePort();
  const ended: FastlaneProcess[] = [];
  const wrongEnds: string[] = [];
  let current: FastlaneProcess | undefined;

  const startOnce = async () => {
    const node = await startFastlane({
      environment: { ...environment, FASTLANE_PORT: String(port) },
      deathSignal: "KILL",
    });
    current = node;
    void node.ended.then(async () => {
      ended.push(node);
      if (current !== node) return;
      wrongEnds.push(`${name} ended by itself: ${lastLine(node.stderr())}`);
      // As whatever keeps services would.
      await start();
    });
  };
  async function start(): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS;
    for (;;) {
      try {
        return await startOnce();
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await delay(1_000);
      }
    }
  }

  await start();
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    start,
    async end(signal) {
      const node = current;
      current = undefined;
      const code = await node?.end(signal);
      if (signal === "SIGTERM" && code !== 0)
        wrongEnds.push(`${name} ended with ${code} at SIGTERM`);
    },
    signal(signal) {
      if (current !== undefined) process.kill(current.pid, signal);
    },
    wrongEnds,
    log: () => [...ended, ...(current ? [current] : [])].map((node) => node.stderr()).join(""),
  };
}

const lastLine = (text: string) => text.trimEnd().split("\n").at(-1) ?? "";
