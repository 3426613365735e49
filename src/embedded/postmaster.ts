import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { identityOf, OWN_NAME, PROGRAM_ENVIRONMENT } from "./cluster.ts";
import { programByCommandLine } from "./command-line.ts";
import { lastWords, openLog } from "./log-file.ts";
import type { Place } from "./place.ts";

/** A running Postgres on our data, started by us or by a fastlane before us. */
export interface Postmaster {
  readonly pid: number;
  /** Where its program is: another one than ours after an upgrade of fastlane. */
  readonly program: string;
  readonly sockets: string;
  /** Resolves when it is gone, with why. */
  readonly exited: Promise<string>;
}

type DataPlace = Pick<Place, "data">;

const LOOK_FOR_READY_EVERY_MS = 5;
const LOOK_FOR_EXIT_EVERY_MS = 100;
const TELL_EVERY_MS = 10_000;
const REAP_LIMIT_MS = 10_000;
const FAST_LIMIT_MS = 10_000;
const IMMEDIATE_LIMIT_MS = 5_000;

const SETTINGS: Record<string, string> = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  max_connections: "100",
  cluster_name: OWN_NAME,
  fsync: "on",
  synchronous_commit: "on",
  wal_compression: "on",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] ",
  log_checkpoints: "off",
  logging_collector: "off",
};

/** The postmaster that runs on our data, whoever started it. */
export async function findPostmaster(place: DataPlace): Promise<Postmaster | null> {
  const file = await readPidFile(place);
  if (file === null) return null;
  const program = await programOf(file.pid, place);
  if (program === null) return null;
  return { ...file, program, exited: pollExit(file.pid, place) };
}

/**
 * Waits until the process that the pid file names is no more, for a while: as long as init has not
 * taken a dead one away, Postgres holds it for alive and refuses to start.
 */
export async function untilReaped(place: Place): Promise<void> {
  const file = await readPidFile(place);
  if (file === null || !(await isDead(file.pid))) return;
  const deadline = performance.now() + REAP_LIMIT_MS;
  while (performance.now() < deadline && (await isDead(file.pid)))
    await sleep(LOOK_FOR_EXIT_EVERY_MS);
}

/** Starts one as a child in a session of its own: Ctrl-C on a terminal is for fastlane alone. */
export async function spawnPostmaster(place: Place, programs: string): Promise<Postmaster> {
  const program = `${programs}/bin/postgres`;
  const settings = { ...SETTINGS, unix_socket_directories: place.sockets };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = await openLog(place.logFile);
  try {
    const child = spawn(program, ["-D", place.data, ...args], {
      ...identityOf(place.account),
      detached: true,
      cwd: "/",
      env: PROGRAM_ENVIRONMENT,
      stdio: ["ignore", log.fd, log.fd],
    });
    const exited = once(child, "exit").then(([code, signal]) =>
      signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`,
    );
    await once(child, "spawn");
    return { pid: child.pid ?? 0, program, sockets: place.sockets, exited };
  } finally {
    await log.close();
  }
}

/**
 * Resolves when it takes connections: recovery after a crash may take its time.
 *
 * @throws {Error} If it ends first.
 */
export async function untilReady(
  postmaster: Postmaster,
  place: Place,
  log: (message: string, details?: Record<string, unknown>) => void,
): Promise<void> {
  let ended: string | null = null;
  void postmaster.exited.then((why) => {
    ended = why;
  });
  const began = performance.now();
  let toldAfterMs = 0;
  while (ended === null) {
    const file = await readPidFile(place);
    if (file?.pid === postmaster.pid && file.status === "ready") return;
    await sleep(LOOK_FOR_READY_EVERY_MS);
    const waitedMs = performance.now() - began;
    if (waitedMs < toldAfterMs + TELL_EVERY_MS) continue;
    toldAfterMs = waitedMs;
    log("Waiting for Postgres to recover", { pid: postmaster.pid, status: file?.status });
  }
  throw new Error(
    `Cannot start Postgres: ${ended}: ${await lastWords(place.logFile)} (log: ${place.logFile})`,
  );
}

/** Ends it, gently first: every session is cut, what is committed stays. */
export async function stopPostmaster(postmaster: Postmaster): Promise<void> {
  const steps = [
    ["SIGINT", FAST_LIMIT_MS],
    ["SIGQUIT", IMMEDIATE_LIMIT_MS],
    ["SIGKILL", IMMEDIATE_LIMIT_MS],
  ] as const;
  for (const [signal, limitMs] of steps) {
    if (!send(postmaster.pid, signal)) break;
    const patience = new AbortController();
    const late = sleep(limitMs, "late", { signal: patience.signal }).catch(() => "late");
    const outcome = await Promise.race([postmaster.exited, late]);
    patience.abort();
    if (outcome !== "late") return;
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function readPidFile(
  place: DataPlace,
): Promise<{ pid: number; sockets: string; status: string } | null> {
  const file = await readFile(`${place.data}/postmaster.pid`, "utf8").catch(() => null);
  if (file === null) return null;
  const [pid, , , , sockets = "", , , status = ""] = file.split("\n");
  return { pid: Number(pid), sockets: sockets.trim(), status: status.trim() };
}

/** A pid may have been given to another program since: ours has the data as working directory. */
async function programOf(pid: number, place: DataPlace): Promise<string | null> {
  if (!(pid > 0)) return null;
  if (process.platform === "darwin") return await programByCommandLine(pid, place.data);
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => null);
  if (folder !== place.data) return null;
  return await readlink(`/proc/${pid}/exe`).catch(() => null);
}

/**
 * Whether it has ended, or is about to, but is still in the table of processes. One that was just
 * killed is no zombie yet, but has let go of its working directory.
 */
async function isDead(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  if (/\) [ZX] /.test(stat)) return true;
  const hasFolder = await readlink(`/proc/${pid}/cwd`).then(
    () => true,
    () => false,
  );
  return /\(postgres\)/.test(stat) && !hasFolder;
}

async function pollExit(pid: number, place: DataPlace): Promise<string> {
  while ((await programOf(pid, place)) !== null) await sleep(LOOK_FOR_EXIT_EVERY_MS);
  return "its process is gone";
}
