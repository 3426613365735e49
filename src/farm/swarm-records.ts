import * as v from "valibot";

const Labels = v.optional(v.record(v.string(), v.string()), {});

/** A service as the manager tells it. What is not named here is kept, since an update sends it back. */
export const Service = v.object({
  ID: v.string(),
  Version: v.object({ Index: v.number() }),
  Spec: v.looseObject({
    Name: v.string(),
    Labels,
    Mode: v.looseObject({
      Replicated: v.optional(v.looseObject({ Replicas: v.optional(v.number(), 0) })),
    }),
    TaskTemplate: v.looseObject({}),
  }),
});
export type Service = v.InferOutput<typeof Service>;

/** One run of a service on a node. */
export const Task = v.object({
  ID: v.string(),
  ServiceID: v.string(),
  NodeID: v.optional(v.string(), ""),
  CreatedAt: v.string(),
  Status: v.object({
    Timestamp: v.string(),
    State: v.string(),
    Message: v.optional(v.string(), ""),
    Err: v.optional(v.string(), ""),
    ContainerStatus: v.optional(
      v.object({ ContainerID: v.optional(v.string(), ""), ExitCode: v.optional(v.number(), 0) }),
    ),
  }),
});
export type Task = v.InferOutput<typeof Task>;

export const SwarmNode = v.object({
  ID: v.string(),
  UpdatedAt: v.string(),
  Description: v.optional(v.object({ Hostname: v.optional(v.string(), "") })),
  Status: v.object({ State: v.string() }),
});
export type SwarmNode = v.InferOutput<typeof SwarmNode>;

export const EngineInfo = v.object({
  ServerVersion: v.string(),
  SystemTime: v.string(),
  Swarm: v.object({
    NodeID: v.optional(v.string(), ""),
    LocalNodeState: v.string(),
    ControlAvailable: v.optional(v.boolean(), false),
    Cluster: v.nullish(
      v.object({
        Spec: v.object({
          Orchestration: v.optional(
            v.object({ TaskHistoryRetentionLimit: v.optional(v.number(), 0) }),
          ),
        }),
      }),
    ),
  }),
});
export type EngineInfo = v.InferOutput<typeof EngineInfo>;
