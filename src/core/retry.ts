import { type Backoff, backoffMs } from "./backoff.ts";
import type { End } from "./status.ts";

export interface RetryRules {
  /** How many more executions there may be, 0 to 100. */
  retries: number;
  /** `jitter` spreads each delay over its upper half. */
  backoff: Backoff & { jitter: boolean };
  /** Exit codes that are worth a retry; `null` is all but 0. */
  retryOn: readonly number[] | null;
}

/**
 * How long to wait before an execution that ended is retried.
 *
 * @param retry How many retries came before the one that ended, from 0.
 * @param random A number in [0, 1).
 * @returns Milliseconds; `null` when it is not retried. What never had a process is not: the same
 *   image and command would fail again, and faults of hosts and registries are made up for elsewhere.
 */
export function retryDelayMs(
  rules: RetryRules,
  end: Pick<End, "status" | "exitCode" | "failureCause">,
  retry: number,
  random: number,
): number | null {
  if (retry >= rules.retries || !isWorthRetry(rules, end)) return null;
  return backoffMs(rules.backoff, retry + 1, rules.backoff.jitter ? random : 1);
}

function isWorthRetry(
  { retryOn }: RetryRules,
  { status, exitCode, failureCause }: Pick<End, "status" | "exitCode" | "failureCause">,
): boolean {
  const processFailed =
    status === "timedout" || failureCause === "exit_code" || failureCause === "oom_killed";
  if (!processFailed) return false;
  return retryOn === null || (exitCode !== null && retryOn.includes(exitCode));
}
