import { readFile } from "node:fs/promises";

/** What a process uses, as the kernel counts it. */
export interface ProcessUse {
  /** Resident memory now and at its most, in MB of 10^6 bytes. */
  residentMb: number;
  peakMb: number;
  /** Of all its threads since its start, in seconds. */
  cpuSeconds: number;
}

const TICKS_A_SECOND = 100;

export async function useOf(pid: number): Promise<ProcessUse> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    readFile(`/proc/${pid}/stat`, "utf8"),
  ]);
  const mb = (name: string) => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
    return (Number(kilobytes) * 1024) / 1e6;
  };
  // The name in parentheses may hold spaces; user and system time are fields 12 and 13 behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  return { residentMb: mb("VmRSS"), peakMb: mb("VmHWM"), cpuSeconds };
}
