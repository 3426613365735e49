import * as v from "valibot";
import { PRUNED_KINDS } from "../core/pruned.ts";

const Kinds = v.record(
  v.picklist(PRUNED_KINDS),
  v.object({ count: v.number(), bytes: v.number() }),
);
export type Kinds = v.InferOutput<typeof Kinds>;

export const PrunableAnswer = v.object({ prunable: Kinds });

const Result = v.nullable(v.union([v.object({ pruned: Kinds }), v.object({ error: v.string() })]));

export const PruneAnswer = v.object({
  isAsked: v.boolean(),
  isRunning: v.boolean(),
  finishedAt: v.nullable(v.string()),
  nextAt: v.nullable(v.string()),
  result: Result,
});
export type PruneAnswer = v.InferOutput<typeof PruneAnswer>;
