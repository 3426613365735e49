import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostAccess, SshAccess, TlsAccess } from "../../src/core/host-access.ts";
import { dockerHost } from "../../src/farm/docker-host.ts";
import { HostUnreachable } from "../../src/farm/host.ts";
import type { NetworkEngine } from "./engine.ts";

/** How an engine that listens with TLS is reached by who may. */
export function tlsAccessTo({ folder }: NetworkEngine): Required<TlsAccess> {
  return {
    kind: "https",
    caFile: `${folder}/tls/ca.pem`,
    certFile: `${folder}/tls/client.pem`,
    keyFile: `${folder}/tls/client-key.pem`,
  };
}

/** How an engine with an sshd is reached by its user, whose known hosts are in that file. */
export function sshAccessTo({ folder }: NetworkEngine, knownHostsFile: string): SshAccess {
  return {
    kind: "ssh",
    identityFile: `${folder}/ssh/id_ed25519`,
    defaultIdentityFiles: [],
    knownHostsFile,
    socket: "/var/run/docker.sock",
  };
}

/** The line of known_hosts for the key that an engine's sshd has now. */
export function knownHostsLine(
  { address, folder }: NetworkEngine,
  type: "ed25519" | "ecdsa" = "ed25519",
): string {
  return `${address} ${readFileSync(`${folder}/ssh/host_${type}.pub`, "utf8")}`;
}

export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "fastlane-test-access-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** `reached`, or the words of the `HostUnreachable` that its version is answered with. */
export async function reach(name: string, access?: HostAccess): Promise<string> {
  const host = dockerHost(name, access);
  try {
    await host.version();
    return "reached";
  } catch (error) {
    if (error instanceof HostUnreachable) return error.message;
    throw error;
  } finally {
    host.close();
  }
}
