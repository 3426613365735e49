import { messageOf } from "../core/errors.ts";
import { spanIdOf } from "../core/trace-context.ts";
import { LeaseLost } from "../store/hosts.ts";
import type { ExecutionRow } from "../store/schema.ts";
import type { Traces } from "../traces/traces.ts";
import { Abandoned } from "./persist.ts";
import { tellPart } from "./tracing.ts";

/** What is told of the attempt to have an execution's container started. */
export interface AttemptTrace {
  /** It is certain that it does not wait any more: told once for each time that it got a host. */
  waited(): void;
  /**
   * Does something, and tells how long that took and how it went.
   *
   * @param isExpected Whether an error is none that anybody has to know of.
   */
  part<Value>(
    name: "pull" | "create" | "start",
    work: () => Promise<Value>,
    isExpected?: (error: unknown) => boolean,
  ): Promise<Value>;
}

export function traceAttempt(
  { traces, signal }: { traces: Traces; signal: AbortSignal },
  execution: ExecutionRow,
): AttemptTrace {
  const { id, placements, host, pool, request } = execution;
  const until = new Date();
  // One that was claimed already was told of by whoever did that.
  let isTold = execution.claimedAt !== null;
  const where = {
    ...(host === null ? {} : { "fastlane.host": host }),
    "fastlane.placement": placements,
  };
  return {
    waited() {
      if (isTold) return;
      isTold = true;
      const since = placements > 1 ? execution.availableAt : execution.createdAt;
      tellPart(traces, execution, {
        name: "queue",
        id: spanIdOf(id, `queue:${placements}`),
        start: since,
        end: until,
        attributes: { ...where, "fastlane.pool": pool },
      });
    },
    async part(name, work, isExpected = () => false) {
      const start = new Date();
      const tell = (error: string | null) =>
        tellPart(traces, execution, {
          name,
          start,
          end: new Date(),
          attributes: { ...where, "container.image.name": request.image },
          error,
        });
      try {
        const value = await work();
        tell(null);
        return value;
      } catch (error) {
        // What is broken off by the node's leaving is done again by the next one, and told by that.
        const isLeft = signal.aborted || error instanceof LeaseLost || error instanceof Abandoned;
        if (!isLeft) tell(isExpected(error) ? null : messageOf(error));
        throw error;
      }
    },
  };
}
