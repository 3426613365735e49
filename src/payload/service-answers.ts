import * as v from "valibot";
import { Count, TaskRef, Time, Url, Uuid } from "./answer-parts.ts";
import { HostStatus, Pools } from "./host-answers.ts";
import { StoreStatus } from "./prune-answers.ts";

export const HealthAnswer = v.strictObject({
  errors: v.array(
    v.strictObject({ message: v.string(), source: v.picklist(["postgres", "queue", "node"]) }),
  ),
  postgres: v.boolean(),
  queue: v.boolean(),
});

const Length = v.strictObject({ length: Count });
const HostAndPort = { host: v.string(), port: v.nullable(Count) };

export const StatusAnswer = v.strictObject({
  containers: v.strictObject({
    running: v.array(
      v.strictObject({
        ...HostAndPort,
        containerId: v.nullable(v.string()),
        executionId: Uuid,
        jobId: Uuid,
        taskId: v.string(),
        url: Url,
      }),
    ),
  }),
  fastlane: v.strictObject({ executor: v.string(), version: v.string() }),
  hosts: v.array(HostStatus),
  pools: Pools,
  jobs: v.strictObject({
    count: Count,
    scheduled: v.array(
      v.strictObject({
        id: Uuid,
        nextScheduledAt: Time,
        stopUrl: Url,
        task: TaskRef,
        url: Url,
      }),
    ),
  }),
  queues: v.strictObject({
    error: Length,
    jobs: Length,
    monitor: Length,
    notify: Length,
    scheduled: v.strictObject({
      length: Count,
      nextHumanReadableDate: v.nullable(v.string()),
      nextTimeStamp: v.nullable(v.number()),
    }),
    webhooks: Length,
  }),
  store: StoreStatus,
  tasks: v.strictObject({ count: Count }),
});

export const ErrorAnswer = v.strictObject({
  error: v.string(),
  operation: v.string(),
  issues: v.optional(v.array(v.strictObject({ path: v.string(), message: v.string() }))),
});
