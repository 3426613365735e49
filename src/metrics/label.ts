/**
 * A pool as a label has it. Prometheus takes an empty label for none at all, so the pool of all tasks,
 * whose `match` is "", is told of as `*`, which is no regular expression and so no other pool.
 */
export const poolLabel = (match: string) => (match === "" ? "*" : match);
