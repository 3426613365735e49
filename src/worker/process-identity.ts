import { readFileSync, readlinkSync } from "node:fs";

/**
 * Names a process so that another one on the same machine can tell whether it still lives, also
 * after its number has been given to somebody else: boot, process namespace, number, start time.
 *
 * @returns `null` when there is no such process.
 */
export function processIdentity(pid: number | "self" = "self"): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold spaces; the start time is the 20th field behind it.
    const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return [...machine(), stat.split(" ")[0], startTime].join(" ");
  } catch {
    return null;
  }
}

/** Whether a process named by `processIdentity` is known to be gone; `false` when it cannot be told. */
export function isGone(identity: string): boolean {
  const [boot, namespace, pid] = identity.split(" ");
  const [ourBoot, ourNamespace] = machineOrNothing();
  if (ourBoot === undefined || boot !== ourBoot || namespace !== ourNamespace) return false;
  return processIdentity(Number(pid)) !== identity;
}

function machine(): string[] {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return [boot, readlinkSync("/proc/self/ns/pid")];
}

function machineOrNothing(): string[] {
  try {
    return machine();
  } catch {
    return [];
  }
}
