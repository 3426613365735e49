import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const PROJECT = new URL("../../../", import.meta.url).pathname;
const BOOT = new URL("./boot", import.meta.url).pathname;
const AS_ROOT = process.getuid?.() === 0 ? [] : ["sudo", "--non-interactive"];
const BOOTS_WITHIN_MS = 20_000;

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** A running systemd that shares this machine's programs, and nothing that it writes. */
export interface Machine extends AsyncDisposable {
  /** Runs lines of bash in it, as root, up to the first that fails. The project is /mnt/project. */
  run(lines: string): Promise<Outcome>;
  /** The same, for those that must go well. @returns What they wrote. */
  must(lines: string): Promise<string>;
}

/** @param dockerSocket What is to be its /run/docker.sock. */
export async function bootSystemd({ dockerSocket = "" } = {}): Promise<Machine> {
  const folder = await mkdtemp("/tmp/fastlane-systemd-");
  const [program = "", ...words] = [...AS_ROOT, "setpriv", "--pdeathsig", "TERM", BOOT, folder];
  const booted = spawn(program, words, {
    env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, PROJECT, DOCKER_SOCKET: dockerSocket },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [booted.stdout, booted.stderr]) {
    stream.on("data", (bytes) => {
      said += String(bytes);
    });
  }
  const ended = new Promise<void>((resolve) => booted.once("close", () => resolve()));
  const run = async (lines: string) => {
    const pid = await systemdOf(booted);
    return await command(["nsenter", "--target", `${pid}`, "--all", "bash", "-euc", lines]);
  };
  const machine: Machine = {
    run,
    async must(lines) {
      const { code, stdout, stderr } = await run(lines);
      if (code !== 0) throw new Error(`${lines}\nended with ${code}: ${stdout}${stderr}\n${said}`);
      return stdout;
    },
    async [Symbol.asyncDispose]() {
      const pid = await systemdOf(booted).catch(() => null);
      if (pid !== null) await command(["kill", "-KILL", `${pid}`]);
      else booted.kill();
      await ended;
    },
  };
  try {
    await untilBooted(machine, booted);
    return machine;
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw new Error(`Cannot boot systemd: ${said}`, { cause: error });
  }
}

async function untilBooted(machine: Machine, booted: ChildProcess): Promise<void> {
  const deadline = performance.now() + BOOTS_WITHIN_MS;
  while (performance.now() < deadline && booted.exitCode === null) {
    const answer = await machine.run("systemctl is-active multi-user.target").catch(() => null);
    if (answer?.stdout.trim() === "active") return;
    await sleep(50);
  }
  throw new Error("it did not reach its target");
}

/** The process that is PID 1 in there: the only child of the only child that makes namespaces. */
async function systemdOf(booted: ChildProcess): Promise<number> {
  let pid = booted.pid ?? 0;
  for (let generation = 0; generation < 6; generation += 1) {
    const name = await readFile(`/proc/${pid}/comm`, "utf8");
    if (name.trim() === "systemd") return pid;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    pid = Number(children.trim().split(" ")[0]);
  }
  throw new Error("systemd does not run yet");
}

function command([program = "", ...words]: string[]): Promise<Outcome> {
  const [name = "", ...all] = [...AS_ROOT, program, ...words];
  return new Promise((resolve) => {
    const child = execFile(name, all, { cwd: "/" }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
