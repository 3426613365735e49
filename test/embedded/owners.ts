import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/embedded/server.ts";

export interface DataDir extends AsyncDisposable {
  path: string;
  /** In this process; stopped with the folder. */
  start(onExit?: (reason: string) => void): Promise<EmbeddedPostgres & { logged: string[] }>;
  /** In a process of its own. */
  spawnOwner(): ChildProcess;
}

/** A data folder that takes with it whatever still runs on it. */
export async function makeDataDir(name = "data"): Promise<DataDir> {
  const folder = await mkdtemp(`${tmpdir()}/fastlane-embedded-`);
  await chmod(folder, 0o755);
  const path = `${folder}/${name}`;
  const running: EmbeddedPostgres[] = [];
  const children: ChildProcess[] = [];
  return {
    path,
    start: async (onExit = () => {}) => {
      const logged: string[] = [];
      const log = (message: string) => logged.push(message);
      const server = await startEmbeddedPostgres({ dataDir: path, log, onExit });
      running.push(server);
      return Object.defineProperties({ logged } as never, Object.getOwnPropertyDescriptors(server));
    },
    spawnOwner: () => {
      const child = spawn(process.execPath, [`${import.meta.dir}/run-owner.ts`, path], {
        stdio: ["ignore", "pipe", "inherit"],
        cwd: "/",
      });
      children.push(child);
      return child;
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of children) child.kill("SIGKILL");
      for (const server of running) await server.stop();
      await endOrphan(path);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What the owner says once it is up, or has failed. */
export async function answerOf(
  owner: ChildProcess,
): Promise<{ url: string; pid: number; error?: string }> {
  if (owner.stdout === null) throw new Error("Cannot read the owner: it has no stdout");
  const [line] = await once(createInterface({ input: owner.stdout }), "line");
  return JSON.parse(line);
}

export async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const socket = `${new URL(url).searchParams.get("host")}/.s.PGSQL.5432`;
  const sql = postgres({ path: socket, user: "fastlane", database: "fastlane", max: 1 });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Tries again until it is so; for what only another process knows. */
export async function eventually<T>(look: () => Promise<T | false>, limitMs = 10_000): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await look().catch((error: unknown) => {
      if (performance.now() > deadline) throw error;
      return false as const;
    });
    if (found !== false) return found;
    if (performance.now() > deadline) throw new Error(`Not so after ${limitMs} ms`);
    await sleep(10);
  }
}

async function endOrphan(path: string): Promise<void> {
  const file = await readFile(`${path}/postgres/data/postmaster.pid`, "utf8").catch(() => null);
  if (file === null) return;
  const pid = Number(file.split("\n")[0]);
  try {
    process.kill(pid, "SIGCONT");
    process.kill(pid, "SIGQUIT");
  } catch {
    return;
  }
  await eventually(async () => {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z");
    return /\) Z/.test(stat);
  });
}
