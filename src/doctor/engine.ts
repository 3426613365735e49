import type { EngineDescription } from "../farm/engine-look.ts";
import type { Tell } from "./finding.ts";

/** The API of engine 20.10. What is asked of an engine has been the same since. */
const OLDEST_API = "1.41";

export function judgeApi(tell: Tell, engine: { Version: string; ApiVersion: string }): void {
  if (!isOlder(engine.ApiVersion, OLDEST_API)) return;
  tell.problem(
    `its API ${engine.ApiVersion} is too old: fastlane needs ${OLDEST_API} or later`,
    "bring the engine to 20.10 or later",
  );
}

/** Judges how an engine is set. */
export function judgeEngine(
  tell: Tell,
  engine: EngineDescription,
  { isSwarm }: { isSwarm: boolean },
): void {
  tell.ok(
    `it keeps containers by ${engine.Driver} in ${engine.DockerRootDir}, and limits them by ` +
      `cgroup v${engine.CgroupVersion} (${engine.CgroupDriver})`,
  );
  if (engine.OSType !== "linux") {
    tell.problem(`it runs ${engine.OSType} containers`, "use an engine that runs Linux containers");
  }
  if (engine.Driver === "vfs") {
    tell.warning(
      "its storage driver vfs copies the whole image for each container",
      "let it use overlay2: see docker info and the engine's log for why it does not",
    );
  }
  // A manager of a swarm cannot have it.
  if (!engine.LiveRestoreEnabled && !isSwarm) {
    tell.warning(
      "live-restore is off: when the engine is restarted, all its containers die",
      'set "live-restore": true in /etc/docker/daemon.json, and reload it (systemctl reload docker)',
    );
  }
  judgeLimits(tell, engine);
  for (const warning of engine.Warnings.filter((text) => /without encryption/i.test(text))) {
    tell.problem(
      warning
        .replace(/^(\[[^\]]*\]|WARNING):\s*/i, "")
        .replace(/\s+/g, " ")
        .trim(),
      "let it listen on its socket alone, or with TLS, as docs/configuration.md says",
    );
  }
}

/** @param wanted By name; a containerd shim, as `io.containerd.kata.v2`, an engine need not know. */
export function judgeRuntimes(
  tell: Tell,
  { Runtimes }: EngineDescription,
  wanted: readonly string[],
): void {
  if (Runtimes === null) return;
  const known = Object.keys(Runtimes);
  for (const name of wanted.filter((each) => !known.includes(each) && !/^io\./.test(each))) {
    tell.problem(
      `it does not know the runtime ${name}, which a pool has for its containers there`,
      `add it to "runtimes" in /etc/docker/daemon.json, or take one of ${known.join(", ")}`,
    );
  }
}

function judgeLimits(tell: Tell, { MemoryLimit, CpuCfsQuota, PidsLimit }: EngineDescription): void {
  const missing = [
    ...(MemoryLimit ? [] : ["memory"]),
    ...(CpuCfsQuota ? [] : ["cpus"]),
    ...(PidsLimit ? [] : ["pids"]),
  ];
  if (missing.length === 0) return;
  tell.warning(
    `its kernel cannot limit ${missing.join(", ")} of a container`,
    "turn these cgroup controllers on, for memory by cgroup_enable=memory on the kernel's command line",
  );
}

/** Both are two numbers with a dot. */
function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [ofMajor = 0, ofMinor = 0] = than.split(".").map(Number);
  return major < ofMajor || (major === ofMajor && minor < ofMinor);
}
