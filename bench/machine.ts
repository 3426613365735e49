import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import type Docker from "dockerode";

const BINARY = new URL("../dist/fastlane", import.meta.url).pathname;

/** What the figures depend on besides the code. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGb: number;
  kernel: string;
  /** The load of the last minute when the bench began: others at work blur the figures. */
  loadBefore: number;
  docker: string;
  storageDriver: string;
  bun: string;
  fastlane: string;
  /** SHA-256 of the binary that was measured. */
  binary: string;
}

export async function describeMachine(docker: Docker): Promise<Machine> {
  const [version, info] = await Promise.all([docker.version(), docker.info()]);
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    loadBefore: loadavg()[0] ?? 0,
    docker: version.Version,
    storageDriver: info.Driver,
    bun: Bun.version,
    fastlane: execFileSync(BINARY, ["--version"], { encoding: "utf8" }).trim(),
    binary: await hashOfBinary(),
  };
}

export async function hashOfBinary(): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(BINARY).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}
