import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { bytesWords } from "../core/amounts.ts";
import { spaceAt } from "./data-folder.ts";
import type { Check, Tell } from "./finding.ts";
import { judgeSpace } from "./space.ts";

const WITHIN_MS = 5_000;
/** Each host, follower and browser takes some. */
const FEW_FILES = 4_096;
const LITTLE_MEMORY_BYTES = 256 * 1_024 ** 2;

/** Whether the machine that the doctor runs on has what a node needs. */
export function machineCheck(): Check {
  return {
    subject: "this machine",
    withinMs: WITHIN_MS,
    async run(tell) {
      if (process.getuid?.() === 0) {
        tell.ok("the doctor runs as root; fastlane needs no more than the right to use Docker");
      }
      await checkFiles(tell);
      await checkMemory(tell);
      judgeSpace(tell, `in ${tmpdir()}`, await spaceAt(tmpdir()), "make room there");
    },
  };
}

async function checkFiles(tell: Tell): Promise<void> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  if (soft === undefined || Number(soft) >= FEW_FILES) return;
  tell.warning(
    `a process may open ${soft} files here, and a node with many hosts and readers needs more`,
    `raise it to ${FEW_FILES} or more: ulimit -n, or LimitNOFILE= of the systemd unit`,
  );
}

async function checkMemory(tell: Tell): Promise<void> {
  const memory = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const bytesOf = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(memory)?.[1] ?? Number.NaN) * 1_024;
  const available = bytesOf("MemAvailable");
  if (Number.isNaN(available)) return;
  const message = `${bytesWords(available)} of ${bytesWords(bytesOf("MemTotal"))} of memory are available`;
  if (available >= LITTLE_MEMORY_BYTES) tell.ok(message);
  else tell.warning(message, "give it more memory, or move something else away from it");
}
