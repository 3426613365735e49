import * as v from "valibot";
import { ACTIONS } from "../core/audit.ts";
import { Count, Time, Uuid } from "./answer-parts.ts";

const Act = v.strictObject({
  id: Count,
  at: Time,
  actor: v.strictObject({
    kind: v.pipe(
      v.picklist(["token", "basic", "anonymous", "system"]),
      v.description("anonymous where nobody is asked who they are; system is fastlane itself"),
    ),
    name: v.pipe(v.nullable(v.string()), v.description("of the token, or of the user")),
  }),
  address: v.pipe(v.nullable(v.string()), v.description("the IP address that it was asked from")),
  action: v.picklist(ACTIONS),
  task: v.nullable(v.string()),
  job: v.nullable(Uuid),
  execution: v.nullable(Uuid),
  host: v.pipe(v.nullable(v.string()), v.description("as the configuration writes it")),
  details: v.record(v.string(), v.nullable(v.union([v.string(), v.number(), v.boolean()]))),
  requestId: v.pipe(
    v.nullable(v.string()),
    v.description("X-Request-ID of the answer to whoever did it"),
  ),
});
export type Act = v.InferOutput<typeof Act>;

export const AuditAnswer = v.strictObject({
  items: v.array(Act),
  nextCursor: v.nullable(v.string()),
});
