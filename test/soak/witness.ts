import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import * as v from "valibot";
import type { SoakEngine } from "./engines.ts";

/** What a container said itself. */
export interface Report {
  at: number;
  what: "begin" | "end";
  engine: string;
  task: string;
  /** One start of one process. */
  run: string;
  /** The beginning of its container's id. */
  container: string;
  /** How many lines it had begun to write by then. */
  lines: number;
  /** `null` at the begin. */
  exitCode: number | null;
}

/** What an engine said of a container of fastlane. */
export interface EngineEvent {
  at: number;
  what: string;
  engine: string;
  containerId: string;
  executionId: string;
}

export interface Witness {
  reports(): Promise<Report[]>;
  events(): Promise<EngineEvent[]>;
  stop(): Promise<void>;
}

const Event = v.object({
  Action: v.string(),
  timeNano: v.number(),
  Actor: v.object({ ID: v.string(), Attributes: v.record(v.string(), v.string()) }),
});

/** Has an engine's containers and the engine itself watched, by a process that neither can harm. */
export async function startWitness({ name, engine }: SoakEngine, folder: string): Promise<Witness> {
  const socketPath = engine.host.replace("unix://", "");
  const netns = basename(dirname(socketPath));
  const script = `${import.meta.dir}/run-witness.ts`;
  const command = ["nsenter", `--net=/run/netns/${netns}`, process.execPath, script];
  const [program = "", ...rest] =
    process.getuid?.() === 0 ? command : ["sudo", "--non-interactive", ...command];
  const child = spawn(program, [...rest, folder, name, socketPath], {
    stdio: ["pipe", "pipe", "inherit"],
    cwd: "/",
  });
  const ended = once(child, "exit");
  await Promise.race([
    once(child.stdout, "data"),
    ended.then(() => {
      throw new Error(`Cannot watch ${name}: its witness ended with ${child.exitCode}`);
    }),
  ]);
  const linesOf = async (kind: string) => {
    const text = await readFile(`${folder}/${name}.${kind}`, "utf8");
    return text.split("\n").filter((line) => line !== "");
  };
  return {
    reports: async () => (await linesOf("ledger")).flatMap((line) => reportOf(line, name)),
    events: async () => (await linesOf("events")).map((line) => eventOf(line, name)),
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

function reportOf(line: string, engine: string): Report[] {
  const [at, what, task = "", run = "", container = "", lines, code] = line.split(" ");
  if (what !== "begin" && what !== "end") throw new Error(`Cannot read the ledger: "${line}"`);
  const exitCode = what === "end" ? Number(code) : null;
  return [{ at: Number(at), what, engine, task, run, container, lines: Number(lines), exitCode }];
}

function eventOf(line: string, engine: string): EngineEvent {
  const { Action, timeNano, Actor } = v.parse(Event, JSON.parse(line));
  return {
    at: timeNano / 1e6,
    what: Action,
    engine,
    containerId: Actor.ID,
    executionId: Actor.Attributes["fastlane.execution"] ?? "",
  };
}
