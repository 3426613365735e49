import * as v from "valibot";

const MaybeText = v.nullable(v.string());

export const WhoamiAnswer = v.object({
  kind: v.string(),
  name: MaybeText,
  role: v.string(),
  taskMatch: MaybeText,
  expiresAt: MaybeText,
});
export type WhoamiAnswer = v.InferOutput<typeof WhoamiAnswer>;

export const Token = v.object({
  name: v.string(),
  role: v.string(),
  taskMatch: MaybeText,
  createdAt: v.string(),
  createdBy: MaybeText,
  expiresAt: MaybeText,
  lastUsedAt: MaybeText,
  revokedAt: MaybeText,
});
export type Token = v.InferOutput<typeof Token>;

/** The token itself is told this once. */
export const NewToken = v.object({ ...Token.entries, token: v.string() });

export const TokenList = v.object({ items: v.array(Token) });

export const AuditList = v.object({
  items: v.array(
    v.object({
      at: v.string(),
      actor: v.object({ kind: v.string(), name: MaybeText }),
      address: MaybeText,
      action: v.string(),
      task: MaybeText,
      job: MaybeText,
      execution: MaybeText,
      host: MaybeText,
      details: v.record(v.string(), v.unknown()),
    }),
  ),
  nextCursor: MaybeText,
});
export type AuditList = v.InferOutput<typeof AuditList>;
