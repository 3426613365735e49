import { ACTIONS } from "../../core/audit.ts";
import { moment } from "./parameter.ts";
import type { Schema } from "./schemas.ts";

const action: Schema = { type: "string", enum: [...ACTIONS] };

/** Parameters of this operation alone; some have a key that elsewhere means another thing. */
export const AUDIT_PARAMETERS = {
  auditSince: {
    name: "since",
    in: "query",
    description: "done at or after: UNIX seconds or ISO 8601",
    schema: moment,
    example: "2026-01-01T00:00:00Z",
  },
  auditUntil: {
    name: "until",
    in: "query",
    description: "done before: UNIX seconds or ISO 8601",
    schema: moment,
    example: "2100-01-01T00:00:00Z",
  },
  actor: {
    in: "query",
    description: "name of a token or of the user",
    schema: { type: "string", minLength: 1, maxLength: 200 },
    example: "ops",
  },
  action: {
    in: "query",
    description: "what was done",
    schema: action,
    example: "stop",
  },
  auditCursor: {
    name: "cursor",
    in: "query",
    description: "the nextCursor of the answer before",
    schema: { type: "string" },
    example: btoa("2030-03-29T03:00:00.000000Z 4711"),
  },
} as const;
