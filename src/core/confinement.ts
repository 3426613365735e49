/** How far a container is shut in. */
export interface Confinement {
  /** One that the engine knows by name, such as `runsc`; its default one when absent. */
  runtime?: string | undefined;
  /** Nothing of the image can be written to; /tmp can, and is gone with the container. */
  readOnlyRoot: boolean;
  /** What of root's powers is left to it, without `CAP_`. */
  capabilities: readonly string[];
  /** No program in it gains powers by being run, as one with a setuid bit would. */
  noNewPrivileges: boolean;
}

/** Every capability of Linux, without `CAP_`: capabilities(7). */
export const CAPABILITIES = [
  "AUDIT_CONTROL",
  "AUDIT_READ",
  "AUDIT_WRITE",
  "BLOCK_SUSPEND",
  "BPF",
  "CHECKPOINT_RESTORE",
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "IPC_LOCK",
  "IPC_OWNER",
  "KILL",
  "LEASE",
  "LINUX_IMMUTABLE",
  "MAC_ADMIN",
  "MAC_OVERRIDE",
  "MKNOD",
  "NET_ADMIN",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_RAW",
  "PERFMON",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYSLOG",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_CHROOT",
  "SYS_MODULE",
  "SYS_NICE",
  "SYS_PACCT",
  "SYS_PTRACE",
  "SYS_RAWIO",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "WAKE_ALARM",
];

/** Where a pool says nothing: what ordinary images need, which is less than Docker leaves to them. */
export const ORDINARY: Confinement = {
  readOnlyRoot: false,
  capabilities: [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
  ],
  noNewPrivileges: true,
};

/** For what fastlane itself runs on a host. */
export const STRICTEST: Confinement = {
  readOnlyRoot: true,
  capabilities: [],
  noNewPrivileges: true,
};

/** `cap_net_raw` and `NET_RAW` are one. */
export function capabilityNamed(name: string): string | null {
  const bare = name.toUpperCase().replace(/^CAP_/, "");
  return CAPABILITIES.includes(bare) ? bare : null;
}
