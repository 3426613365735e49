import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import Docker from "dockerode";
import { REGISTRY } from "./registry.ts";

export { containersOf } from "./image.ts";

export interface TestEngine {
  /** As `dockerHosts` takes it: `unix:///...`. */
  host: string;
  /** A registry that this engine alone can reach; it has `busybox:latest`. */
  registry: string;
  docker: Docker;
}

export interface PrivateEngine extends Omit<TestEngine, "registry">, AsyncDisposable {
  /** Resolves when the daemon's process is gone; its containers may live on. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts the daemon again, with the same data; resolves when it answers. */
  start(): Promise<void>;
  /** The daemon takes connections but answers nothing, until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the engine and its containers, and takes away all that it made. */
  stop(): Promise<void>;
}

interface Keeper {
  host: string;
  ask(command: string): Promise<void>;
}

let shared: Promise<TestEngine> | undefined;

/** The engine that all tests share; `npm test` starts it, else the first call does, as root. */
export function testEngine(): Promise<TestEngine> {
  shared ??= findShared();
  return shared;
}

/** An engine of its own, `busybox:latest` in it, for a test that breaks it. */
export async function startEngine(options?: { liveRestore?: boolean }): Promise<PrivateEngine> {
  const { host, ask } = await startKeeper(options?.liveRestore ? ["--live-restore"] : []);
  const stop = () => ask("stop");
  return {
    host,
    docker: connect(host),
    kill: (signal) => ask(`kill ${signal}`),
    start: () => ask("start"),
    pause: () => ask("pause"),
    resume: () => ask("resume"),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function findShared(): Promise<TestEngine> {
  const given = process.env["FASTLANE_TEST_ENGINE"];
  const host = given ?? (await startKeeper(["--registry"])).host;
  const registry = process.env["FASTLANE_TEST_REGISTRY"] ?? REGISTRY;
  return { host, registry, docker: connect(host) };
}

function connect(host: string): Docker {
  // docker-modem lets DOCKER_HOST win over an explicit socket.
  for (const key of Object.keys(process.env))
    if (key.startsWith("DOCKER_")) delete process.env[key];
  return new Docker({ socketPath: host.replace("unix://", "") });
}

/** Starts run-engine.ts; it ends its engine by itself when this process is gone. */
async function startKeeper(options: string[]): Promise<Keeper> {
  const command = [process.execPath, `${import.meta.dir}/run-engine.ts`, ...options];
  const [program = "", ...rest] =
    process.getuid?.() === 0 ? command : ["sudo", "--non-interactive", ...command];
  const keeper = spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"], cwd: "/" });
  keeper.unref();
  const answers = createInterface({ input: keeper.stdout });
  const iterator = answers[Symbol.asyncIterator]();

  const { host = "" } = await answer(keeper, iterator);
  let stopped = false;
  let turn: Promise<unknown> = Promise.resolve();
  const ask = (line: string): Promise<void> => {
    const asked = turn.then(async () => {
      if (stopped) return;
      stopped = line === "stop";
      keeper.stdin.write(`${line}\n`);
      await answer(keeper, iterator);
    });
    turn = asked.catch(() => undefined);
    return asked;
  };
  return { host, ask };
}

async function answer(
  keeper: ChildProcessWithoutNullStreams | ReturnType<typeof spawn>,
  lines: AsyncIterator<string>,
): Promise<{ host?: string }> {
  const { value, done } = await lines.next();
  if (done) {
    if (keeper.exitCode === null) await once(keeper, "exit");
    throw new Error(`Cannot keep a test engine: its keeper ended with ${keeper.exitCode}`);
  }
  const said: { host?: string; error?: string } = JSON.parse(value);
  if (said.error !== undefined) throw new Error(said.error);
  return said;
}
