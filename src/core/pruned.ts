/** What is removed when its time is over, by kind, in the order in which it is told of. */
export const PRUNED_KINDS = [
  "containers",
  "logDays",
  "executions",
  "jobs",
  "tasks",
  "ticks",
  "deliveries",
  "audit",
  "idempotencyKeys",
  "reconciliations",
] as const;
export type PrunedKind = (typeof PRUNED_KINDS)[number];

/** How many of a kind, and what they take; bytes are 0 where nobody knows. */
export interface Amount {
  count: number;
  bytes: number;
}

export type Pruned = Record<PrunedKind, Amount>;

export function nothingPruned(): Pruned {
  const entries = PRUNED_KINDS.map((kind) => [kind, { count: 0, bytes: 0 }] as const);
  return Object.fromEntries(entries) as Pruned;
}

/** Adds to what there is. */
export function addPruned(sum: Pruned, more: Partial<Record<PrunedKind, Amount>>): void {
  for (const kind of PRUNED_KINDS) {
    sum[kind].count += more[kind]?.count ?? 0;
    sum[kind].bytes += more[kind]?.bytes ?? 0;
  }
}

/** Whether it is nothing at all. */
export function isNothing(pruned: Partial<Record<PrunedKind, Amount>>): boolean {
  return Object.values(pruned).every(({ count }) => count === 0);
}

/** Waits a little between two steps of something long; throws to end it early. */
export type Pause = () => Promise<void>;
