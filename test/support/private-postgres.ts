import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, rmSync, statSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Account, accountFor } from "../../src/embedded/account.ts";
import { unpackPostgres } from "../../src/embedded/cluster.ts";
import { POSTGRES_VERSION } from "../../src/embedded/version.ts";
import { freePort } from "./free-port.ts";

const PREFIX = "fastlane-test-postgres-";
const READY_LIMIT_MS = 60_000;

export interface PrivatePostgres extends AsyncDisposable {
  /** The administrator's, by TCP on loopback; stays the same over restarts. */
  readonly url: string;
  /** The same by its unix socket. */
  readonly socketUrl: string;
  readonly port: number;
  /** Of the postmaster that runs now. */
  readonly pid: number;
  /** "immediate" ends it as a crash does. Resolves when it takes connections again. */
  restart(mode?: "fast" | "immediate"): Promise<void>;
  /** Ends the server, to be started by `restart`. */
  halt(mode?: "fast" | "immediate"): Promise<void>;
  /** Stops every process of the server: connections stand, and nothing answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A server of its own, for a test that breaks it; ends with this process. Unless it is `durable`, no
 * power cut may meet it.
 */
export async function startPostgres(
  options: { port?: number; durable?: boolean } = {},
): Promise<PrivatePostgres> {
  await sweepAbandoned();
  const folder = await mkdtemp(`${tmpdir()}/${PREFIX}${process.pid}-`);
  const data = `${folder}/data`;
  const account = await accountFor(data);
  await chmod(folder, 0o711);
  await mkdir(data, { mode: 0o700 });
  if (account !== null) await chown(data, account.uid, account.gid);
  const programs = await sharedPrograms(account);
  const port = options.port ?? (await freePort());
  const as = account === null ? [] : userArguments(account);
  const initdb = [`${programs}/bin/initdb`, "-D", data, "-U", "postgres", "--no-sync"];
  const locale = ["-A", "trust", "-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"];
  await promisify(execFile)("setpriv", [...as, ...initdb, ...locale], { cwd: "/" });

  const settings = [
    `port=${port}`,
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${data}`,
  ];
  settings.push("jit=off", "max_connections=300", "shared_buffers=32MB");
  if (!options.durable) settings.push("fsync=off");
  const command = [`${programs}/bin/postgres`, "-D", data, ...settings.flatMap((s) => ["-c", s])];
  let child: ChildProcess = await start();

  async function start(): Promise<ChildProcess> {
    const log = openSync(`${folder}/log`, "a");
    // A killed test must not leave its server behind.
    const started = spawn("setpriv", [...as, "--pdeathsig", "INT", ...command], {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log, log],
    });
    const deadline = performance.now() + READY_LIMIT_MS;
    while (performance.now() < deadline && started.exitCode === null) {
      const file = (await readFile(`${data}/postmaster.pid`, "utf8").catch(() => "")).split("\n");
      if (file[0] === `${started.pid}` && file[7]?.trim() === "ready") return started;
      await sleep(5);
    }
    throw new Error(`Cannot start Postgres: ${await readFile(`${folder}/log`, "utf8")}`);
  }

  async function halt(mode: "fast" | "immediate" = "fast"): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    await signalAll(child, "SIGCONT");
    child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
    await exited;
  }

  async function stop(): Promise<void> {
    await halt("immediate");
    await rm(folder, { recursive: true, force: true });
  }

  process.once("exit", () => {
    child.kill("SIGQUIT");
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    socketUrl: `postgres://postgres@localhost:${port}/postgres?host=${encodeURIComponent(data)}`,
    port,
    get pid() {
      return child.pid ?? 0;
    },
    restart: async (mode) => {
      await halt(mode);
      child = await start();
    },
    halt,
    pause: () => signalAll(child, "SIGSTOP"),
    resume: () => signalAll(child, "SIGCONT"),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The postmaster first, so that it starts no further process. */
async function signalAll(postmaster: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  postmaster.kill(signal);
  const { pid } = postmaster;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  for (const child of children.split(" ").filter(Boolean)) {
    try {
      process.kill(Number(child), signal);
    } catch (error) {
      // A session may end between the look and the signal.
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

function userArguments({ uid, gid }: Account): string[] {
  return ["--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups"];
}

/** Unpacked once on this machine, for all tests of this version. */
async function sharedPrograms(account: Account | null): Promise<string> {
  const made = Math.round(statSync(`${import.meta.dir}/../../build/postgres.tar.zst`).mtimeMs);
  const folder = `${tmpdir()}/fastlane-test-programs-${process.getuid?.()}-${made}`;
  const programs = `${folder}/${POSTGRES_VERSION}`;
  await mkdir(folder, { recursive: true, mode: 0o755 });
  if (statSync(folder).uid !== process.getuid?.()) {
    throw new Error(`Cannot use "${folder}": it belongs to somebody else`);
  }
  const place = { folder, data: "", sockets: "", logFile: "", account };
  return await unpackPostgres(place).then(() => programs);
}

async function sweepAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? name.slice(PREFIX.length).split("-")[0] : undefined;
    if (pid === undefined || isAlive(pid)) continue;
    // Renamed first: of two that sweep, one wins.
    const taken = `${tmpdir()}/${PREFIX}${process.pid}-swept-${name}`;
    const won = await rename(`${tmpdir()}/${name}`, taken).catch(() => "lost");
    if (won !== "lost") await rm(taken, { recursive: true, force: true });
  }
}

function isAlive(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}
