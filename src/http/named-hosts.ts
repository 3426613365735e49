import { hostAndPort } from "../core/host-name.ts";
import { hostsOf, type PoolRule } from "../core/pool.ts";

/** The hosts of the configuration that a client means: by their whole text, or by `name:port`. */
export function hostsNamed(pools: readonly PoolRule[], text: string): string[] {
  const names = hostsOf(pools);
  if (names.includes(text)) return [text];
  return names.filter((name) => {
    const { host, port } = hostAndPort(name);
    return port !== null && text === `${host}:${port}`;
  });
}
