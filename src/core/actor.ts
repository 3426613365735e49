/**
 * Who may do what, each with all that those before it may: look; enqueue, stop and retry; care for
 * hosts and for many executions at once; give others their tokens.
 */
export const ROLES = ["viewer", "submitter", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Who asks for something. */
export interface Actor {
  /** `anonymous` where nobody is asked who they are; `system` is fastlane itself. */
  kind: "token" | "basic" | "anonymous" | "system";
  /** The token's name, or the user's; `null` for the other kinds. */
  name: string | null;
  role: Role;
  /** A regular expression, as Postgres reads it, on the ids of the tasks it is for; `null` is all. */
  taskMatch: string | null;
}

/** Where nobody is asked who they are, everybody may do everything. */
export const ANONYMOUS: Actor = { kind: "anonymous", name: null, role: "admin", taskMatch: null };

/** Whether a role has all that another one has. */
export function hasRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
