import * as v from "valibot";
import { PruneAnswer, type StoreStatus } from "../payload/prune-answers.ts";
import { type PruneState, pruneState } from "../services/prune-chore.ts";
import type { Db } from "../store/connect.ts";
import { storeSize } from "../store/store-size.ts";

const Result = PruneAnswer.entries.result;

export function pruneView(state: PruneState): PruneAnswer {
  // Of another version it may be another thing.
  const result = v.safeParse(Result, state.result);
  return {
    isAsked: state.isAsked,
    isRunning: state.isRunning,
    finishedAt: state.finishedAt?.toISOString() ?? null,
    nextAt: state.nextAt?.toISOString() ?? null,
    result: result.success ? result.output : null,
  };
}

/** How large the store is, and how it is kept small. */
export async function storeView(db: Db): Promise<StoreStatus> {
  const [size, prune] = await Promise.all([storeSize(db), pruneState(db)]);
  const { bytes, logsBytes, executionsBytes } = size;
  const otherBytes = Math.max(0, bytes - logsBytes - executionsBytes);
  return { ...size, otherBytes, prune: pruneView(prune) };
}
