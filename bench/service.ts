import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type FastlaneProcess, startFastlane } from "../test/support/process.ts";

export interface Service extends AsyncDisposable {
  url: string;
  /** From the start of the process to the first 200 of its health check, in milliseconds. */
  healthyAfterMs: number;
  /** Resident memory of the process without Postgres, in MB of 10^6 bytes. */
  memoryMb(): Promise<number>;
}

export interface ServicePool {
  match: string;
  hosts: string[];
  maxRunning: number;
}

/** `dist/fastlane up` with its embedded Postgres; resolves when its hosts take executions. */
export async function startService(dataDir: string, pools: ServicePool[]): Promise<Service> {
  const begunAt = performance.now();
  const fastlane = await startFastlane({
    environment: {
      FASTLANE_DATA_DIR: dataDir,
      FASTLANE_DOCKER_HOSTS: JSON.stringify(pools),
      FASTLANE_LOG_LEVEL: "warn",
    },
  });
  await until(async () => (await fetch(`${fastlane.url}/healthcheck/`)).ok, fastlane);
  const healthyAfterMs = performance.now() - begunAt;
  await until(async () => {
    const response = await fetch(`${fastlane.url}/status/`);
    const { hosts } = (await response.json()) as { hosts: { available: boolean }[] };
    return hosts.every(({ available }) => available);
  }, fastlane);
  return {
    url: fastlane.url,
    healthyAfterMs,
    memoryMb: () => residentMb(fastlane.pid),
    async [Symbol.asyncDispose]() {
      await fastlane[Symbol.asyncDispose]();
      if (fastlane.stderr() !== "") process.stderr.write(fastlane.stderr());
    },
  };
}

const READY_WITHIN_MS = 30_000;

async function until(isSo: () => Promise<boolean>, fastlane: FastlaneProcess): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline)
      throw new Error(`fastlane is not ready: ${fastlane.stderr()}`);
    await delay(5);
  }
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
}
