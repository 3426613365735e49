/*
 * Serves scripted engines until its standard input ends: `bun run.ts COUNT`. It says
 * `{"hosts":[...]}` when they listen; each line of JSON that comes in then is a command, and gets a
 * line in answer.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { type Fault, scriptedHost } from "./host.ts";

/** Of the hosts with these numbers, or of all. */
export type Command = { hosts?: number[] } & (
  | { do: "fault"; fault: Fault | null }
  | { do: "drop streams" }
  | { do: "add images"; names: string[] }
  /** Answers with what each has seen. */
  | { do: "tell" }
);

const [count = ""] = process.argv.slice(2);
const folder = await mkdtemp(`${tmpdir()}/fastlane-scripted-`);
const paths = Array.from({ length: Number(count) }, (_, number) => `${folder}/${number}.sock`);
const all = await Promise.all(paths.map((path) => scriptedHost(path)));
answer({ hosts: paths.map((path) => `unix://${path}`) });
for await (const line of createInterface({ input: process.stdin })) {
  answer(await obey(JSON.parse(line)));
}
await Promise.all(all.map((host) => host.close()));
await rm(folder, { recursive: true, force: true });
process.exit(0);

async function obey(command: Command): Promise<unknown> {
  const hosts = all.filter((_, number) => command.hosts?.includes(number) ?? true);
  switch (command.do) {
    case "fault":
      await Promise.all(hosts.map((host) => host.setFault(command.fault)));
      return {};
    case "drop streams":
      for (const host of hosts) host.dropStreams();
      return {};
    case "add images":
      for (const host of hosts) host.addImages(command.names);
      return {};
    case "tell":
      return hosts.map((host) => host.tell());
  }
}

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
