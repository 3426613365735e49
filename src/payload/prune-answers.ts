import * as v from "valibot";
import { PRUNED_KINDS } from "../core/pruned.ts";
import { Count, Time } from "./answer-parts.ts";

const Amount = v.strictObject({
  count: Count,
  bytes: v.pipe(Count, v.description("what they take in the store; 0 of containers")),
});

const KINDS = v.strictObject(
  Object.fromEntries(PRUNED_KINDS.map((kind) => [kind, Amount])) as Record<
    (typeof PRUNED_KINDS)[number],
    typeof Amount
  >,
);

const PRUNE = {
  isAsked: v.pipe(v.boolean(), v.description("somebody has asked, and no worker has begun")),
  isRunning: v.boolean(),
  finishedAt: v.pipe(v.nullable(Time), v.description("when the last one ended")),
  nextAt: v.pipe(v.nullable(Time), v.description("when the next one comes by itself")),
  result: v.pipe(
    v.nullable(v.union([v.strictObject({ pruned: KINDS }), v.strictObject({ error: v.string() })])),
    v.description("what the last one has removed, or why it could not"),
  ),
};
export const PruneAnswer = v.strictObject({
  ...PRUNE,
  prunable: v.optional(v.pipe(KINDS, v.description("with dryRun: what a prune would remove now"))),
});
export type PruneAnswer = v.InferOutput<typeof PruneAnswer>;

export const StoreStatus = v.strictObject({
  bytes: v.pipe(Count, v.description("of the whole database")),
  logsBytes: Count,
  executionsBytes: Count,
  otherBytes: Count,
  growthBytesPerDay: v.pipe(
    v.nullable(v.pipe(v.number(), v.integer())),
    v.description("over the last week; null until a day is over"),
  ),
  oldestLogDay: v.pipe(v.nullable(v.string()), v.description("YYYY-MM-DD, in UTC")),
  prune: PruneAnswer,
});
export type StoreStatus = v.InferOutput<typeof StoreStatus>;
