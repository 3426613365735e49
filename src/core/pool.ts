import type { Policy } from "./policy.ts";

/** A rule that gives tasks their hosts. `match` is a regular expression on the task id; "" fits all. */
export interface PoolRule extends Policy {
  hosts: readonly string[];
  /** Executions at once over the pool's hosts. */
  maxRunning: number;
}

/** The first pool whose expression fits, or `null`. */
export function poolOf(pools: readonly PoolRule[], taskId: string): PoolRule | null {
  return pools.find(({ match }) => new RegExp(match, "u").test(taskId)) ?? null;
}

/**
 * The pool that an execution was made for; the one that its task has now, where that is no more in
 * the configuration; or `null`.
 */
export function poolOfExecution(
  pools: readonly PoolRule[],
  { pool, taskId }: { pool: string; taskId: string },
): PoolRule | null {
  return pools.find(({ match }) => match === pool) ?? poolOf(pools, taskId);
}

/** Every host of every pool, once. */
export function hostsOf(pools: readonly PoolRule[]): string[] {
  return [...new Set(pools.flatMap(({ hosts }) => hosts))];
}

/** What waits in a pool, and what matters for where it goes. */
export interface Waiting {
  executionId: string;
  /** Its image's short name where it is better off on a host that has it, else `null`. */
  image: string | null;
  /** A host on which it could not begin or was lost. */
  avoids: string | null;
}

/** A host that can be given something. */
export interface HostLoad {
  running: number;
  /** Short names of those images at hand that matter. */
  images: ReadonlySet<string>;
}

export interface Placement {
  executionId: string;
  host: string;
}

/**
 * Deals executions out to hosts: each to one that it does not avoid, if it can be; that has its
 * image at hand, as long as it runs no more than its share of the pool; that runs the fewest by then.
 *
 * @param hosts The available ones by name.
 * @returns As many pairs as there are executions, none when no host is available.
 */
export function placeOnHosts(
  waiting: readonly Waiting[],
  hosts: ReadonlyMap<string, HostLoad>,
  maxRunning: number,
): Placement[] {
  const load = new Map([...hosts].map(([name, { running }]) => [name, running]));
  const share = Math.ceil(maxRunning / Math.max(1, hosts.size));
  return waiting.flatMap(({ executionId, image, avoids }) => {
    const ranks = [...hosts].map(([name, { images }]) => {
      const running = load.get(name) ?? 0;
      const hasImage = image !== null && images.has(image) && running < share;
      return { name, rank: [name === avoids ? 1 : 0, hasImage ? 0 : 1, running] };
    });
    const best = ranks.reduce<(typeof ranks)[number] | null>(
      (found, each) => (found === null || isBefore(each, found) ? each : found),
      null,
    );
    if (best === null) return [];
    load.set(best.name, (load.get(best.name) ?? 0) + 1);
    return [{ executionId, host: best.name }];
  });
}

interface Ranked {
  name: string;
  rank: number[];
}

function isBefore(left: Ranked, right: Ranked): boolean {
  for (const [place, value] of left.rank.entries()) {
    const other = right.rank[place] ?? 0;
    if (value !== other) return value < other;
  }
  return left.name < right.name;
}
