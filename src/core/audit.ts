import type { Actor } from "./actor.ts";

/** What is kept in the audit when somebody does it. */
export const ACTIONS = [
  "enqueue",
  "put",
  "stop",
  "retry",
  "redeliver",
  "blacklist",
  "blacklist.lift",
  "drain",
  "token.create",
  "token.revoke",
  "prune",
  "export",
  "import",
] as const;
export type Action = (typeof ACTIONS)[number];

/** By whom something is done. */
export interface ActBy {
  actor: Actor;
  /** The IP address that it was asked from; `null` for what did not come over HTTP. */
  address: string | null;
  /** Of the request, as the service's log names it; `null` for what did not come over HTTP. */
  requestId: string | null;
}

/** By fastlane itself, at its own machine and without HTTP. */
export const BY_SYSTEM: ActBy = {
  actor: { kind: "system", name: null, role: "admin", taskMatch: null },
  address: null,
  requestId: null,
};

/** An act, and what it was about. */
export interface AuditEntry {
  by: ActBy;
  action: Action;
  /** These three for what is about a job; the execution where there is one. */
  task?: string;
  job?: string;
  execution?: string | null;
  /** For what is about a host, as the configuration writes it. */
  host?: string;
  /** A few small facts for people; nothing of a payload that may be secret. 8 KiB at most. */
  details?: AuditDetails;
}

export type AuditDetails = Record<string, string | number | boolean | null>;
