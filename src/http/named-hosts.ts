import { hostAndPort } from "../core/host-name.ts";
import { hostsOf, type PoolRule } from "../core/pool.ts";
import { managerOf } from "../core/swarm-name.ts";

/**
 * The hosts of the configuration that a client means: by their whole text, or by `name:port`; a
 * swarm by its manager's, too.
 */
export function hostsNamed(pools: readonly PoolRule[], text: string): string[] {
  const names = hostsOf(pools);
  if (names.includes(text)) return [text];
  const swarms = names.filter((name) => managerOf(name) === text);
  if (swarms.length > 0) return swarms;
  return names.filter((name) => {
    const { host, port } = hostAndPort(name);
    const bracketed = host.includes(":") ? `[${host}]` : host;
    return port !== null && text === `${bracketed}:${port}`;
  });
}

/** The same for a filter. */
export function hostsFiltered(pools: readonly PoolRule[], text: string): string[] {
  const names = hostsNamed(pools, text);
  // One that is no longer configured has executions all the same.
  return names.length === 0 ? [text] : names;
}
