/** What payloads may ask of the containers of a pool, beyond what is harmless; nothing when absent. */
export interface Allowed {
  /** Docker networks by name. */
  networks: readonly string[];
  /** Users as a payload writes them; "*" is any. */
  users: readonly string[];
  workdir: boolean;
  additionalDNSEntries: boolean;
}

/** A rule that gives tasks their hosts. */
export interface PoolRule {
  /** A regular expression on the task id; "" fits all. It is the pool's name as well. */
  match: string;
  hosts: readonly string[];
  /** Executions at once over the pool's hosts. */
  maxRunning: number;
  allow?: Allowed | undefined;
}

/** The first pool whose expression fits, or `null`. */
export function poolOf(pools: readonly PoolRule[], taskId: string): PoolRule | null {
  return pools.find(({ match }) => new RegExp(match, "u").test(taskId)) ?? null;
}

/** Every host of every pool, once. */
export function hostsOf(pools: readonly PoolRule[]): string[] {
  return [...new Set(pools.flatMap(({ hosts }) => hosts))];
}

export interface Placement {
  executionId: string;
  host: string;
}

/**
 * Deals executions out to hosts: each to the one that runs the fewest by then.
 *
 * @param running How many each available host runs now.
 * @returns As many pairs as there are executions, none when no host is available.
 */
export function placeOnHosts(
  executionIds: readonly string[],
  running: ReadonlyMap<string, number>,
): Placement[] {
  const load = new Map(running);
  return executionIds.flatMap((executionId) => {
    const [host] = [...load.entries()].sort(
      (left, right) => left[1] - right[1] || (left[0] < right[0] ? -1 : 1),
    )[0] ?? [null];
    if (host === null) return [];
    load.set(host, (load.get(host) ?? 0) + 1);
    return [{ executionId, host }];
  });
}
