import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Fault, HostTold } from "./host.ts";
import type { Command } from "./run.ts";

/** Engines that are scripted, all in one process of its own, each behind a socket of its own. */
export interface ScriptedFarm extends AsyncDisposable {
  pid: number;
  /** As `dockerHosts` takes them; a host's number is its place here. */
  hosts: string[];
  /** From now on; `null` makes hosts well again. Of all hosts when none are named. */
  setFault(fault: Fault | null, hosts?: number[]): Promise<void>;
  dropStreams(hosts?: number[]): Promise<void>;
  addImages(names: string[], hosts?: number[]): Promise<void>;
  tell(hosts?: number[]): Promise<HostTold[]>;
  /** When containers of each name were started, on all hosts together, by the clock. */
  starts(): Promise<Map<string, number[]>>;
}

export async function startScriptedFarm(count: number): Promise<ScriptedFarm> {
  const child = spawn(process.execPath, [`${import.meta.dir}/run.ts`, String(count)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`Scripted engines ended with ${child.exitCode}`);
    return JSON.parse(value) as T;
  };
  const { hosts } = await answer<{ hosts: string[] }>();
  let turn: Promise<unknown> = Promise.resolve();
  const ask = <T>(command: Command): Promise<T> => {
    const asked = turn.then(() => {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      return answer<T>();
    });
    turn = asked.catch(() => {});
    return asked;
  };
  const some = (numbers: number[] | undefined) => (numbers === undefined ? {} : { hosts: numbers });
  const tell = (numbers?: number[]) => ask<HostTold[]>({ do: "tell", ...some(numbers) });
  return {
    pid: child.pid ?? 0,
    hosts,
    setFault: (fault, numbers) => ask({ do: "fault", fault, ...some(numbers) }),
    dropStreams: (numbers) => ask({ do: "drop streams", ...some(numbers) }),
    addImages: (names, numbers) => ask({ do: "add images", names, ...some(numbers) }),
    tell,
    async starts() {
      const starts = new Map<string, number[]>();
      for (const [name, moments] of (await tell()).flatMap((host) => Object.entries(host.starts))) {
        starts.set(name, [...(starts.get(name) ?? []), ...moments]);
      }
      return starts;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}
