import * as v from "valibot";
import { PruneAnswer } from "./prune-answers.ts";

const MaybeTime = v.nullable(v.string());

const Host = v.object({
  name: v.string(),
  pools: v.array(v.string()),
  available: v.boolean(),
  blacklisted: v.boolean(),
  drainDeadline: MaybeTime,
  circuit: v.string(),
  failures: v.number(),
  nextProbeAt: MaybeTime,
  error: v.nullable(v.string()),
  engineVersion: v.nullable(v.string()),
  running: v.number(),
  lease: v.nullable(v.object({ node: v.string() })),
  lastSeenAt: MaybeTime,
});
export type Host = v.InferOutput<typeof Host>;

const Pool = v.object({
  match: v.string(),
  hosts: v.array(v.string()),
  running: v.number(),
  waiting: v.number(),
  maxRunning: v.number(),
});
export type Pool = v.InferOutput<typeof Pool>;

export const HostsAnswer = v.object({ hosts: v.array(Host), pools: v.array(Pool) });
export type HostsAnswer = v.InferOutput<typeof HostsAnswer>;

const Length = v.object({ length: v.number() });
export const StatusAnswer = v.object({
  fastlane: v.object({ version: v.string() }),
  hosts: v.array(Host),
  pools: v.array(Pool),
  jobs: v.object({
    count: v.number(),
    scheduled: v.array(
      v.object({
        id: v.string(),
        nextScheduledAt: v.string(),
        task: v.object({ id: v.string() }),
      }),
    ),
  }),
  queues: v.object({
    error: Length,
    jobs: Length,
    monitor: Length,
    notify: Length,
    scheduled: Length,
    webhooks: Length,
  }),
  /** A fastlane of an earlier version has none. */
  store: v.optional(
    v.object({
      bytes: v.number(),
      logsBytes: v.number(),
      growthBytesPerDay: v.nullable(v.number()),
      oldestLogDay: MaybeTime,
      prune: PruneAnswer,
    }),
  ),
  tasks: v.object({ count: v.number() }),
});
export type StatusAnswer = v.InferOutput<typeof StatusAnswer>;

export const BlacklistAnswer = v.object({ name: v.string(), blacklisted: v.boolean() });

export const DrainAnswer = v.object({
  name: v.string(),
  deadline: MaybeTime,
  waitsFor: v.array(
    v.object({ id: v.string(), jobId: v.string(), taskId: v.string(), status: v.string() }),
  ),
});
