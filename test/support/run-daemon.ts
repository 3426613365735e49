import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";

const START_LIMIT_MS = 60_000;
const END_LIMIT_MS = 20_000;
const CALL_LIMIT_MS = 20_000;

export interface DaemonPlace {
  /** Everything the daemon writes is below it. */
  folder: string;
  netns: string;
  liveRestore: boolean;
  /** Who may use the socket, as a number. */
  group: number;
  /** Flags of dockerd that make it listen on a network as well. */
  listen: readonly string[];
}

export interface Daemon {
  docker: Docker;
  /** Resolves when the daemon answers; at once when it runs already. */
  start(): Promise<void>;
  /** Resolves when the process is gone, unless the signal is SIGSTOP or SIGCONT. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Ends its containers, then the daemon itself, whatever state both are in. */
  end(): Promise<void>;
}

export function socketOf(place: DaemonPlace): string {
  return `${place.folder}/docker.sock`;
}

export function daemonAt(place: DaemonPlace): Daemon {
  const docker = new Docker({ socketPath: socketOf(place) });
  let child: ReturnType<typeof spawn> | undefined;
  let answered = false;
  const runs = () => child !== undefined && child.exitCode === null && child.signalCode === null;

  async function start(): Promise<void> {
    if (runs()) return;
    // A killed dockerd takes its containerd with it; the next one waits in vain for a pid that is
    // a zombie, or another's by now.
    await rm(`${place.folder}/docker.pid`, { force: true });
    await rm(`${place.folder}/exec/containerd/containerd.pid`, { force: true });
    const log = openSync(`${place.folder}/dockerd.log`, "a");
    child = spawn("nsenter", [`--net=/run/netns/${place.netns}`, ...dockerdCommand(place)], {
      detached: true,
      stdio: ["ignore", log, log],
    });
    await answers();
  }

  async function answers(): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS;
    while (performance.now() < deadline) {
      if (!runs()) break;
      const call = docker.listContainers({ abortSignal: AbortSignal.timeout(1_000) });
      if (await call.then(() => true).catch(() => false)) {
        answered = true;
        return;
      }
      await sleep(50);
    }
    await signal("SIGKILL");
    const log = await readFile(`${place.folder}/dockerd.log`, "utf8");
    throw new Error(`Cannot start dockerd: ${log.trim().split("\n").slice(-5).join("\n")}`);
  }

  async function signal(name: NodeJS.Signals): Promise<void> {
    if (child === undefined || !runs()) return;
    const exited = once(child, "exit");
    child.kill(name);
    if (name !== "SIGSTOP" && name !== "SIGCONT") await exited;
  }

  async function end(): Promise<void> {
    if (!answered) return;
    await signal("SIGCONT");
    // Only a daemon that answers takes a container away with its shim, its mounts and its sockets.
    await start().then(removeContainers).catch(complain);
    const ended = signal("SIGTERM").then(() => true);
    if (!(await Promise.race([ended, sleep(END_LIMIT_MS, false)]))) await signal("SIGKILL");
  }

  async function removeContainers(): Promise<void> {
    const limit = () => ({ abortSignal: AbortSignal.timeout(CALL_LIMIT_MS) });
    const all = await docker.listContainers({ all: true, ...limit() });
    const removals = all.map(({ Id }) =>
      docker.getContainer(Id).remove({ force: true, ...limit() }),
    );
    for (const removal of await Promise.allSettled(removals))
      if (removal.status === "rejected") complain(removal.reason);
  }

  return { docker, start, signal, end };
}

/** Creates the place's network namespace, with its loopback up, and an empty configuration. */
export async function makePlace({ netns, folder }: DaemonPlace): Promise<void> {
  // Else the machine's /etc/docker/daemon.json counts for this daemon too.
  await writeFile(`${folder}/daemon.json`, "{}");
  execFileSync("ip", ["netns", "add", netns]);
  execFileSync("nsenter", [`--net=/run/netns/${netns}`, "ip", "link", "set", "lo", "up"]);
  await writeFile(`${folder}/netns`, netns);
}

/** Takes away every process, mount, namespace and file of an engine that has ended or was killed. */
export async function sweep(folder: string): Promise<void> {
  for (const pid of await processesNaming(folder)) killQuietly(pid);
  const mounts = (await readFile("/proc/self/mounts", "utf8"))
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((target) => target.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
  for (const target of mounts) run("umount", ["--lazy", target]);

  // A namespace's links go some time after it; the machine's end of one goes at once.
  const link = await readFile(`${folder}/link`, "utf8").catch(() => null);
  if (link !== null) run("ip", ["link", "delete", link]);
  const netns = await readFile(`${folder}/netns`, "utf8").catch(() => null);
  if (netns !== null) run("ip", ["netns", "delete", netns]);
  await rm(folder, { recursive: true, force: true });
}

/** The daemon, its containerd and its shims name the folder; a container is a child of its shim. */
async function processesNaming(folder: string): Promise<number[]> {
  const parents = new Map<number, number>();
  const found = new Set<number>();
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    parents.set(pid, Number(status.slice(status.lastIndexOf(")") + 2).split(" ")[1]));
    if (command.includes(`${folder}/`)) found.add(pid);
  }
  // Parents have lower numbers nearly always; the second round is for a counter that wrapped.
  for (const _ of [1, 2])
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  return [...found];
}

function dockerdCommand(place: DaemonPlace): string[] {
  const { folder, group, liveRestore, listen } = place;
  return [
    "dockerd",
    ...["--data-root", `${folder}/data`, "--exec-root", `${folder}/exec`],
    ...["--pidfile", `${folder}/docker.pid`, "--group", `${group}`],
    ...["--host", `unix://${socketOf(place)}`],
    ...listen,
    ...["--config-file", `${folder}/daemon.json`],
    ...(liveRestore ? ["--live-restore"] : []),
  ];
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself since it was listed.
  }
}

function run(command: string, options: string[]): void {
  try {
    execFileSync(command, options, { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    complain(error);
  }
}

function complain(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
}
