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

/** An engine that its address reaches, from the machine and from engines on the same network. */
export interface NetworkEngine extends PrivateEngine {
  address: string;
  /** Its own folder: `tls/` has the certificates, `ssh/` the keys. */
  folder: string;
  /** What is sent from it or to it is lost, until `heal`. */
  cut(): Promise<void>;
  /** What is sent to it over TCP is refused, until `heal`; connections break. */
  refuse(): Promise<void>;
  heal(): Promise<void>;
  /** Ends its sshd and all sessions. */
  killSshd(): Promise<void>;
  startSshd(): Promise<void>;
  /** For its sshd's next start. */
  changeSshHostKeys(): Promise<void>;
}

/** What engines are on together. */
interface TestNetwork extends AsyncDisposable {
  netns: string;
  /** One that no engine has yet. */
  nextAddress(): string;
}

export interface EngineOptions {
  liveRestore?: boolean;
}

export interface NetworkOptions extends EngineOptions {
  /** `true` for one of its own. */
  network: true | TestNetwork;
  /** `tcp`: at tcp://ADDRESS:2375. `tls`: at https://ADDRESS:2376, for clients with a certificate. */
  listen?: "tcp" | "tls";
  /** With an sshd at port 22 for the user `deploy`. */
  ssh?: boolean;
}

interface Keeper {
  said: Record<string, string>;
  ask(command: string): Promise<void>;
}

let shared: Promise<TestEngine> | undefined;

/** The engine that all tests share; `npm test` starts it, else the first call does, as root. */
export function testEngine(): Promise<TestEngine> {
  shared ??= findShared();
  return shared;
}

/** A network for engines, and for this machine. Dispose of it after its engines. */
export async function startNetwork(): Promise<TestNetwork> {
  const { said, ask } = await startKeeper(["--network"]);
  let last = 1;
  return {
    netns: said["netns"] ?? "",
    nextAddress: () => `${said["prefix"]}.${++last}`,
    [Symbol.asyncDispose]: () => ask("stop"),
  };
}

/** An engine of its own, `busybox:latest` in it, for a test that breaks it. */
export function startEngine(options: NetworkOptions): Promise<NetworkEngine>;
export function startEngine(options?: EngineOptions): Promise<PrivateEngine>;
export async function startEngine(
  options: EngineOptions & Partial<NetworkOptions> = {},
): Promise<PrivateEngine | NetworkEngine> {
  const flags = options.liveRestore ? ["--live-restore"] : [];
  if (options.network === undefined) return engineOf(await startKeeper(flags));

  const network = options.network === true ? await startNetwork() : options.network;
  const address = network.nextAddress();
  flags.push("--join", network.netns, "--address", address);
  if (options.listen !== undefined) flags.push("--listen", options.listen);
  if (options.ssh) flags.push("--ssh");
  const keeper = await startKeeper(flags);
  const engine = engineOf(keeper);
  const stop = async () => {
    await engine.stop();
    if (options.network === true) await network[Symbol.asyncDispose]();
  };
  return {
    ...engine,
    address,
    folder: engine.host.replace(/^unix:\/\/|\/docker\.sock$/g, ""),
    cut: () => keeper.ask("drop"),
    refuse: () => keeper.ask("refuse"),
    heal: () => keeper.ask("heal"),
    killSshd: () => keeper.ask("ssh-kill"),
    startSshd: () => keeper.ask("ssh-start"),
    changeSshHostKeys: () => keeper.ask("ssh-keys"),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function engineOf({ said, ask }: Keeper): PrivateEngine {
  const { host = "" } = said;
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
  const host = given ?? (await startKeeper(["--registry"])).said["host"] ?? "";
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

  const said = await answer(keeper, iterator);
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
  return { said, ask };
}

async function answer(
  keeper: ChildProcessWithoutNullStreams | ReturnType<typeof spawn>,
  lines: AsyncIterator<string>,
): Promise<Record<string, string>> {
  const { value, done } = await lines.next();
  if (done) {
    if (keeper.exitCode === null) await once(keeper, "exit");
    throw new Error(`Cannot keep a test engine: its keeper ended with ${keeper.exitCode}`);
  }
  const said: Record<string, string> = JSON.parse(value);
  if (said["error"] !== undefined) throw new Error(said["error"]);
  return said;
}
