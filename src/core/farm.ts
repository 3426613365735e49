/**
 * A host's circuit breaker. `open`: it failed too often in a row, and nothing new goes there;
 * `half-open`: a probe is under way that closes it or opens it again.
 */
export const CIRCUITS = ["closed", "open", "half-open"] as const;
export type Circuit = (typeof CIRCUITS)[number];

/**
 * What reconciliation decides about a container, or about an execution that has none.
 *
 * `adopted`: it runs, and is seen to by a new owner; `finished`: it had ended meanwhile, and its
 * end is written; `stopped` and `removed`: it is of no execution here any more, and ran or did not;
 * `lost`: the execution's container or host is gone.
 */
export const DECISIONS = ["adopted", "finished", "stopped", "removed", "lost"] as const;
export type Decision = (typeof DECISIONS)[number];

export interface BreakerRules {
  /** Failures in a row that open the circuit, from 1. */
  maxFails: number;
  /** How long it stays open before a probe. */
  resetTimeoutSeconds: number;
}

/**
 * How many of the hosts one of several equal nodes owns: all nodes together have room for each
 * host, and none has more than one above its part.
 */
export function shareOfHosts(hosts: number, nodes: number): number {
  return Math.ceil(hosts / Math.max(1, nodes));
}

/**
 * After so many placements a fault that is not the job's ends the execution all the same, and one
 * that was lost is not run again.
 */
export const MAX_PLACEMENTS = 6;
