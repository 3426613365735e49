import { homedir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import type { HostAccess } from "../core/host-access.ts";
import { parseHostName } from "../core/host-name.ts";
import type { Fault } from "./fault.ts";
import { key } from "./key.ts";
import { noKey } from "./unknown-keys.ts";
import { text, truth } from "./values.ts";

const path = v.pipe(
  v.string("must be a text"),
  v.regex(/^\//, "must be an absolute path, beginning with /"),
);

const KEYS = {
  https: ["caFile", "certFile", "keyFile"],
  ssh: ["identityFile", "passphraseFile", "knownHostsFile", "socket", "useAgent"],
} as const;
const DEFAULT_IDENTITIES = ["id_ed25519", "id_ecdsa", "id_rsa"];
const DEFAULT_SOCKET = "/var/run/docker.sock";

/** The keys of both kinds; which of them a table may have depends on its name. */
const Access = v.object(
  {
    caFile: key("Who may have signed the host's certificate, in PEM", v.optional(path), {
      example: "/etc/fastlane/ca.pem",
      otherwise: "the system's authorities",
      file: "connection",
    }),
    certFile: key(
      "The certificate that fastlane shows to the host; with keyFile",
      v.optional(path),
      {
        example: "/etc/fastlane/client.pem",
        file: "connection",
      },
    ),
    keyFile: key("The key of that certificate", v.optional(path), {
      example: "/etc/fastlane/client-key.pem",
      secret: true,
      file: "connection",
    }),
    identityFile: key("The private key that fastlane logs in with", v.optional(path), {
      example: "/etc/fastlane/id_ed25519",
      otherwise: "`~/.ssh/id_ed25519`, `id_ecdsa` and `id_rsa`, those that are there",
      secret: true,
      file: "connection",
    }),
    passphraseFile: key(
      "A file with the passphrase of that key, when it has one",
      v.optional(path),
      {
        example: "/etc/fastlane/id_passphrase",
        secret: true,
        file: "connection",
      },
    ),
    knownHostsFile: key("The keys of the hosts", v.optional(path), {
      example: "/etc/fastlane/known_hosts",
      otherwise: "`~/.ssh/known_hosts`",
      file: "connection",
    }),
    socket: key("The engine's socket on that host", v.optional(path), {
      example: DEFAULT_SOCKET,
      otherwise: `\`${DEFAULT_SOCKET}\``,
    }),
    useAgent: key("Use the keys of the agent at `SSH_AUTH_SOCK` as well", v.optional(truth), {
      example: false,
      otherwise: "false",
    }),
  },
  "must be a table",
);

/** How hosts are reached. */
export const HOST_ACCESS_KEYS = {
  hostAccess: key(
    "How hosts are reached over TLS and ssh: a table for one host of a pool, and `https` and `ssh` " +
      "for all of a kind; a host's own goes over that, key by key",
    v.optional(v.record(text, Access, "must be a table of hosts"), {}),
    { names: { "https://10.0.0.8:2376": KEYS.https, ssh: KEYS.ssh } },
  ),
};

type Tables = Readonly<Record<string, v.InferOutput<typeof Access>>>;

/** What of `hostAccess` is wrong beyond its types. @param hosts Those of all pools. */
export function faultsOfAccess(
  tables: readonly [string, Record<string, unknown>][],
  hosts: readonly string[],
  agentSocket: string | undefined,
): Fault[] {
  return tables.flatMap(([name, table]) => {
    const at = ["hostAccess", name];
    const kind = kindOf(name);
    if (kind === null)
      return [{ at, says: "must be https, ssh, or an https or ssh host of a pool" }];
    const known: readonly string[] = KEYS[kind];
    const wrong = Object.keys(table)
      .filter((key) => !known.includes(key))
      .map((key) => noKey([...at, key], known));
    if (name !== kind && !hosts.includes(name)) {
      wrong.push({ at, says: "is for a host that no pool names" });
    }
    if ("certFile" in table !== "keyFile" in table) {
      wrong.push({ at, says: "must have certFile and keyFile together" });
    }
    if (table["useAgent"] === true && !agentSocket) {
      const says = "needs the variable SSH_AUTH_SOCK, which is not set";
      wrong.push({ at: [...at, "useAgent"], says });
    }
    return wrong;
  });
}

/**
 * How to reach each https and ssh host: what its own table says, over that of its kind.
 *
 * @param agentSocket Of the ssh agent, for hosts that are to use it.
 */
export function accessOf(
  tables: Tables,
  hosts: readonly string[],
  agentSocket: string | undefined,
): Record<string, HostAccess> {
  const folder = join(homedir(), ".ssh");
  const access: Record<string, HostAccess> = {};
  for (const host of hosts) {
    const kind = kindOf(host);
    if (kind === null) continue;
    const given = { ...tables[kind], ...tables[host] };
    const { caFile, certFile, keyFile, identityFile, passphraseFile } = given;
    if (kind === "https") access[host] = { kind, caFile, certFile, keyFile };
    else
      access[host] = {
        kind,
        identityFile,
        defaultIdentityFiles: DEFAULT_IDENTITIES.map((name) => join(folder, name)),
        passphraseFile,
        agentSocket: given.useAgent ? agentSocket : undefined,
        knownHostsFile: given.knownHostsFile ?? join(folder, "known_hosts"),
        socket: given.socket ?? DEFAULT_SOCKET,
      };
  }
  return access;
}

/** Of a host, or of a table that is for all hosts of a kind. */
function kindOf(name: string): keyof typeof KEYS | null {
  const kind = name === "https" || name === "ssh" ? name : parseHostName(name)?.kind;
  return kind === "https" || kind === "ssh" ? kind : null;
}
