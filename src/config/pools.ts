import * as v from "valibot";
import { HOST_NAME_FORMS, parseHostName } from "../core/host-name.ts";
import type { PoolRule } from "../core/pool.ts";
import { swarmName } from "../core/swarm-name.ts";
import { key } from "./key.ts";
import { Allow, Containers, faultsOfPolicy, policyOf } from "./pool-policy.ts";
import { text, wholeNumber } from "./values.ts";

const DEFAULT_MAX_RUNNING = 20;
const LOCAL_SOCKET = "unix:///var/run/docker.sock";

const expression = v.pipe(
  v.string("must be a text"),
  v.check(isExpression, "must be a regular expression"),
);

const hostName = v.pipe(
  text,
  v.check((name) => parseHostName(name) !== null, `must be ${HOST_NAME_FORMS}`),
);

/** It has `hosts` or `swarm`, exactly one of both. */
const Pool = v.pipe(
  v.object(
    {
      match: key(
        "The task ids that it is for; the empty one fits all and comes last",
        v.optional(expression, ""),
      ),
      hosts: key(
        "The Docker hosts of the pool",
        v.optional(
          v.pipe(
            v.array(hostName, "must be a list of hosts"),
            v.minLength(1, "must name at least one host"),
            v.check((names) => new Set(names).size === names.length, "must not name a host twice"),
          ),
        ),
        { example: [LOCAL_SOCKET, "https://10.0.0.8:2376", "ssh://deploy@10.0.0.9"] },
      ),
      swarm: key(
        "A manager of a Docker Swarm, which stands for all its hosts",
        v.optional(hostName),
        { example: "tcp://10.0.0.9:2375", insteadOf: "hosts" },
      ),
      maxRunning: key(
        "Executions at once over the pool's hosts",
        v.optional(wholeNumber(1, 100_000), DEFAULT_MAX_RUNNING),
      ),
      allow: key(
        "What payloads may ask for in this pool; nothing of it when absent",
        v.optional(Allow),
      ),
      containers: key("How every container of the pool is made", v.optional(Containers)),
    },
    "must be a table",
  ),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const message of faultsOfPolicy(dataset.value)) addIssue({ message });
  }),
);

/** Where containers run, and what is done about hosts that fail. */
export const HOST_KEYS = {
  dockerCircuitBreakerMaxFails: key(
    "Failures of a host in a row after which nothing new is given to it",
    v.optional(wholeNumber(1, 1_000), 5),
  ),
  dockerCircuitBreakerResetTimeoutSeconds: key(
    "Seconds that this lasts before a small container is tried there",
    v.optional(wholeNumber(1, 86_400), 60),
  ),
  hostLostAfterSeconds: key(
    "Seconds without an answer after which what runs on a host is lost: it fails, or runs " +
      'elsewhere with `"onHostLost": "rerun"`',
    v.optional(wholeNumber(1, 604_800), 300),
  ),
  dockerHosts: key(
    "The pools of Docker hosts; a task goes to the first whose match fits its id",
    v.optional(
      v.pipe(
        v.array(Pool, "must be a list of pools"),
        v.minLength(1, "must have at least one pool"),
        v.check(
          (pools) => new Set(pools.map(({ match }) => match)).size === pools.length,
          "must not have two pools with the same match",
        ),
        v.check(
          (pools) => poolsNeverReached(pools).length === 0,
          ({ input }) => describeNeverReached(input),
        ),
      ),
      [{ match: "", hosts: [LOCAL_SOCKET] }],
    ),
    { otherwise: `one pool with ${LOCAL_SOCKET}` },
  ),
};

/** A swarm is a host among others from here on. */
export function poolsOf(pools: readonly v.InferOutput<typeof Pool>[]): PoolRule[] {
  return pools.map(({ match, swarm, hosts = [], maxRunning, ...rules }) => ({
    match,
    hosts: swarm === undefined ? hosts : [swarmName(swarm)],
    maxRunning,
    ...policyOf(rules),
  }));
}

/** What stands behind the pool that fits all. */
function poolsNeverReached(pools: readonly { match: string }[]): string[] {
  const all = pools.findIndex(({ match }) => match === "");
  return all === -1 ? [] : pools.slice(all + 1).map(({ match }) => match);
}

function describeNeverReached(pools: readonly { match: string }[]): string {
  const names = poolsNeverReached(pools).map((match) => `"${match}"`);
  return `must have the pool with match "" last: it fits all, and ${names.join(", ")} can never match`;
}

function isExpression(source: string): boolean {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}
