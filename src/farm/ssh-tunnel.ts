import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Duplex } from "node:stream";
import {
  Client,
  type ClientErrorExtensions,
  type ConnectConfig,
  type ServerHostKeyAlgorithm,
} from "ssh2";
import { messageOf } from "../core/errors.ts";
import type { SshAccess } from "../core/host-access.ts";
import type { SshEndpoint } from "../core/host-name.ts";
import { faultWords } from "./fault-words.ts";
import { type KnownHost, knownHost, soughtName, verdictOn } from "./known-hosts.ts";
import { loginsOf } from "./ssh-keys.ts";

const CONNECT_WITHIN_MS = 10_000;
/** A connection is dead when so many in a row stay without an answer: 15 s. */
const KEEPALIVE = { keepaliveInterval: 5_000, keepaliveCountMax: 2 };

/** ssh's names for the ways in which a key of that type signs; SHA-1 is not among them. */
const SIGNATURES = new Map<string, ServerHostKeyAlgorithm[]>([
  ["ssh-ed25519", ["ssh-ed25519"]],
  ["ecdsa-sha2-nistp256", ["ecdsa-sha2-nistp256"]],
  ["ecdsa-sha2-nistp384", ["ecdsa-sha2-nistp384"]],
  ["ecdsa-sha2-nistp521", ["ecdsa-sha2-nistp521"]],
  ["ssh-rsa", ["rsa-sha2-512", "rsa-sha2-256"]],
]);

/** One ssh connection to a host, made when it is needed, and again after it has failed. */
export interface SshTunnel {
  /**
   * A connection of its own to the engine's socket, which fails when the tunnel does.
   *
   * @throws {Error} Saying why the host or its socket is not reached.
   */
  open(): Promise<Duplex>;
  /** Ends it and all that goes through it, for good. */
  close(): void;
}

export function createSshTunnel(endpoint: SshEndpoint, access: SshAccess): SshTunnel {
  const closed = new AbortController();
  let current: Promise<Link> | null = null;

  const link = () => {
    if (closed.signal.aborted) throw new Error("the host was left");
    if (current !== null) return current;
    const made = connect(endpoint, access, closed.signal);
    const forget = () => {
      if (current === made) current = null;
    };
    current = made;
    made.then(({ lost }) => lost.then(forget), forget);
    return made;
  };

  return {
    open: async () => await (await link()).open(),
    close: () => closed.abort(),
  };
}

interface Link {
  open(): Promise<Duplex>;
  lost: Promise<void>;
}

async function connect(
  endpoint: SshEndpoint,
  access: SshAccess,
  closed: AbortSignal,
): Promise<Link> {
  const { user, name, port } = endpoint;
  const known = await readKnownHost(endpoint, access);
  const logins = await loginsOf(user, access);
  const client = new Client();
  const channels = new Set<Duplex>();
  let why: Error | null = null;
  let agentFault = "";
  const { promise: ready, ...readiness } = Promise.withResolvers<void>();
  const { promise: lost, resolve: lose } = Promise.withResolvers<void>();
  client.on("ready", readiness.resolve);
  client.on("error", (error: Error & ClientErrorExtensions) => {
    // Not the end: there may be other keys.
    if (error.level === "agent") {
      agentFault = `; the agent of SSH_AUTH_SOCK cannot be used: ${error.message}`;
      return;
    }
    why ??= new Error(wordsOf(error, endpoint, access, known) + agentFault, { cause: error });
    readiness.reject(why);
    lose();
    // Else ssh2 waits for the other side to hang up, which may never come.
    client.destroy();
  });
  client.on("close", () => {
    why ??= new Error("the ssh connection was closed");
    readiness.reject(why);
    // ssh2 would end them as if all had been read; what is cut off must not look whole.
    for (const channel of channels) Duplex.prototype.destroy.call(channel, why);
    lose();
  });
  const end = () => client.destroy();
  closed.addEventListener("abort", end, { once: true });
  void lost.then(() => closed.removeEventListener("abort", end));
  const config: ConnectConfig = {
    host: name,
    port,
    username: user,
    authHandler: logins,
    readyTimeout: CONNECT_WITHIN_MS,
    ...KEEPALIVE,
    // Of several keys the host must show one whose type is known.
    algorithms: { serverHostKey: known.trusted.flatMap(({ type }) => SIGNATURES.get(type) ?? []) },
    hostVerifier: (key: Buffer) => {
      const verdict = verdictOn(known, key);
      if (verdict !== "trusted") why = new Error(refusal(verdict, key, endpoint, access));
      return verdict === "trusted";
    },
  };
  client.connect(config);
  if (closed.aborted) end();
  await ready;
  return {
    lost,
    open: () =>
      new Promise((resolve, reject) => {
        if (why !== null) return reject(why);
        client.openssh_forwardOutStreamLocal(access.socket, (error, channel) => {
          if (error) return reject(why ?? new Error(socketWords(error, endpoint, access)));
          channels.add(channel);
          channel.once("close", () => channels.delete(channel));
          // Whoever uses it hears of it as well.
          channel.on("error", () => {});
          resolve(channel);
        });
      }),
  };
}

async function readKnownHost(endpoint: SshEndpoint, access: SshAccess): Promise<KnownHost> {
  const { knownHostsFile } = access;
  const sought = soughtName(endpoint.name, endpoint.port);
  const file = await readFile(knownHostsFile, "utf8").catch((error: unknown) => {
    throw new Error(
      `the host key of "${sought}" is unknown: cannot read "${knownHostsFile}": ${messageOf(error)}`,
    );
  });
  const known = knownHost(file, endpoint.name, endpoint.port);
  if (!known.trusted.some(({ type }) => SIGNATURES.has(type))) {
    throw new Error(`the host key of "${sought}" is unknown: "${knownHostsFile}" has none for it`);
  }
  return known;
}

function refusal(verdict: string, key: Buffer, { name, port }: SshEndpoint, access: SshAccess) {
  const fingerprint = createHash("sha256").update(key).digest("base64").replace(/=+$/, "");
  const shown = `the host key of "${soughtName(name, port)}" (SHA256:${fingerprint})`;
  return verdict === "revoked"
    ? `${shown} is revoked in "${access.knownHostsFile}"`
    : `${shown} is not the one that "${access.knownHostsFile}" has for it: somebody may be in between; when it was changed on purpose, replace that one`;
}

function wordsOf(
  error: Error & ClientErrorExtensions,
  { user }: SshEndpoint,
  { identityFile, knownHostsFile }: SshAccess,
  known: KnownHost,
): string {
  if (error.level === "client-authentication") {
    const key =
      identityFile === undefined ? "any key that there is" : `the key in "${identityFile}"`;
    return `it does not let the user "${user}" in with ${key}`;
  }
  if (error.level === "client-timeout") return "no answer over ssh";
  if (error.level === "handshake" && /host key/.test(error.message)) {
    const types = [...new Set(known.trusted.map(({ type }) => type))].join(", ");
    return `it shows no host key of a type that "${knownHostsFile}" has for it (${types})`;
  }
  return faultWords(error) ?? `ssh: ${error.message}`;
}

function socketWords(error: Error, { user }: SshEndpoint, { socket }: SshAccess): string {
  return `its sshd does not lead the user "${user}" to "${socket}": ${error.message}; an engine must run there, the user be allowed to use the socket, and sshd to forward to it (AllowStreamLocalForwarding)`;
}
