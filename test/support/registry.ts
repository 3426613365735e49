import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type Docker from "dockerode";
import { endOf } from "./image.ts";

/** Inside the engine's own network: dockerd takes a registry on loopback without TLS. */
export const REGISTRY = "127.0.0.1:5000";

// scripts/lib.sh unpacks it there: Debian's package would run it on all of the machine's addresses.
const UNPACKED = `${import.meta.dir}/../../build/tools/usr/bin/docker-registry`;
const PROGRAM = existsSync(UNPACKED) ? UNPACKED : "docker-registry";
const PUSH_LIMIT_MS = 60_000;

/**
 * Debian's docker-registry, listening when this resolves.
 *
 * @param netns The engine's network namespace; `null` for this machine's own network.
 * @param folder Where it keeps its configuration and its images.
 * @param options Without users nobody is asked for a password. They are lines of an htpasswd file.
 * @throws {Error} If it ends before it listens, with its last words.
 */
export async function startRegistry(
  netns: string | null,
  folder: string,
  options: { address?: string; users?: string[] } = {},
): Promise<{ process: ChildProcess; address: string }> {
  const { address = REGISTRY, users } = options;
  await mkdir(folder, { recursive: true });
  const configuration = {
    version: "0.1",
    log: { level: "info", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: `${folder}/images` }, delete: { enabled: true } },
    http: { addr: address },
    ...(users && { auth: { htpasswd: { realm: "test", path: `${folder}/users` } } }),
  };
  if (users) await writeFile(`${folder}/users`, users.join("\n"));
  await writeFile(`${folder}/config.yml`, JSON.stringify(configuration));

  const serve = [PROGRAM, "serve", `${folder}/config.yml`];
  const command = netns === null ? serve : ["nsenter", `--net=/run/netns/${netns}`, ...serve];
  const [program = "", ...rest] = command;
  // `detached`: a Ctrl-C on the terminal must not reach it before its containers are gone.
  const registry = spawn(program, rest, {
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  return { process: registry, address: await listening(registry) };
}

/** Copies the engine's `busybox:latest` into the registry, as `127.0.0.1:5000/busybox:latest`. */
export async function pushBusybox(docker: Docker): Promise<void> {
  await docker.getImage("busybox:latest").tag({ repo: `${REGISTRY}/busybox`, tag: "latest" });
  const progress = await docker.getImage(`${REGISTRY}/busybox:latest`).push({
    authconfig: { username: "", password: "", serveraddress: REGISTRY },
    abortSignal: AbortSignal.timeout(PUSH_LIMIT_MS),
  });
  await endOf(progress);
}

/** @returns The address, with the port that it has taken. */
function listening(registry: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let lastWords = "";
    registry.once("error", reject);
    registry.once("exit", (code) =>
      reject(new Error(`Cannot start docker-registry: exit code ${code}: ${lastWords}`)),
    );
    if (registry.stderr === null) return;
    createInterface({ input: registry.stderr }).on("line", (line) => {
      lastWords = line;
      const [, address] = /listening on ([\d.:]+)/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
  });
}
