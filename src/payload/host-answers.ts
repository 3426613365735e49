import * as v from "valibot";
import { CIRCUITS, DECISIONS } from "../core/farm.ts";
import { Count, ExecutionRef, StatusName, Time, Uuid } from "./answer-parts.ts";

/** A host's name and port as the API's users know them, and as the configuration has it. */
const Names = {
  host: v.string(),
  port: v.nullable(Count),
  name: v.pipe(v.string(), v.description("as the configuration writes it")),
};

const Lease = v.strictObject({
  node: v.pipe(v.string(), v.description("the machine of the node that owns the host")),
  nodeId: Uuid,
  expiresAt: Time,
});

const HOST = {
  ...Names,
  pools: v.pipe(v.array(v.string()), v.description("the match of each pool that has it")),
  available: v.pipe(
    v.boolean(),
    v.description("its owner reaches it and its circuit is closed: unless blacklisted, it is used"),
  ),
  blacklisted: v.boolean(),
  blacklistedAt: v.nullable(Time),
  drainDeadline: v.nullable(Time),
  circuit: v.picklist(CIRCUITS),
  failures: v.pipe(Count, v.description("in a row")),
  nextProbeAt: v.nullable(Time),
  error: v.nullable(v.string()),
  engineVersion: v.nullable(v.string()),
  running: v.pipe(Count, v.description("executions that are pulling or running there")),
  lease: v.nullable(Lease),
  lastSeenAt: v.nullable(Time),
  unreachableSince: v.nullable(Time),
};

export const HostStatus = v.strictObject(HOST);

export const PoolStatus = v.strictObject({
  match: v.pipe(v.string(), v.description("its regular expression on task ids, and its name")),
  hosts: v.pipe(v.array(v.string()), v.description("as the configuration writes them")),
  running: v.pipe(Count, v.description("its executions that are pulling or running")),
  waiting: v.pipe(Count, v.description("its executions that are enqueued")),
  maxRunning: Count,
});
export const Pools = v.pipe(
  v.array(PoolStatus),
  v.description("in the order in which a task's is looked for"),
);

const Decided = v.strictObject({
  at: Time,
  decision: v.picklist(DECISIONS),
  executionId: v.nullable(Uuid),
  containerId: v.nullable(v.string()),
  reason: v.string(),
});

export const HostsAnswer = v.strictObject({
  hosts: v.array(
    v.strictObject({
      ...HOST,
      reconciliation: v.strictObject({
        ...Object.fromEntries(DECISIONS.map((decision) => [decision, Count])),
        last: v.pipe(v.array(Decided), v.description("the newest five, the newest first")),
      }),
    }),
  ),
  pools: Pools,
});

export const BlacklistAnswer = v.strictObject({ ...Names, blacklisted: v.boolean() });

export const DrainAnswer = v.strictObject({
  ...Names,
  blacklisted: v.boolean(),
  deadline: v.nullable(Time),
  waitsFor: v.pipe(
    v.array(
      v.strictObject({
        ...ExecutionRef.entries,
        jobId: Uuid,
        taskId: v.string(),
        status: StatusName,
      }),
    ),
    v.description("what has been given to the host and has not ended"),
  ),
});
