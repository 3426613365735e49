/** How an https host is checked, and what is shown to it. Paths of PEM files. */
export interface TlsAccess {
  kind: "https";
  /** The authorities whose signature counts; the system's when absent. */
  caFile?: string | undefined;
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

export interface SshAccess {
  kind: "ssh";
  /** The one key to log in with; without it, those of the default files that are there. */
  identityFile?: string | undefined;
  defaultIdentityFiles: readonly string[];
  /** Has the words that open the keys. */
  passphraseFile?: string | undefined;
  /** The socket of an agent whose keys are tried as well. */
  agentSocket?: string | undefined;
  /** Has the keys of the hosts that are trusted; there is no other way to trust one. */
  knownHostsFile: string;
  /** The engine's socket on that host. */
  socket: string;
}

/** What it takes to reach a host of the kind `https` or `ssh`; the others need nothing. */
export type HostAccess = TlsAccess | SshAccess;
