import * as v from "valibot";
import type { HostAccess } from "../core/host-access.ts";
import { managerOf } from "../core/swarm-name.ts";
import { type Canary, runCanary } from "./canary.ts";
import { connectEngine } from "./connect.ts";
import { ListedContainer } from "./container.ts";
import { type Dial, dial } from "./dial.ts";
import { engineCall } from "./docker-call.ts";

const CALL_MS = 10_000;
const FIRST_MS = 5_000;
/** It measures every layer and volume, which takes long where there are many. */
const DISK_USE_MS = 8_000;
const CANARY_MS = 15_000;
/** A canary whose making was given up would be there all the same, and nobody would take it away. */
const WITHOUT_SIGNAL = new Set(["create probe", "remove probe"]);

const EngineVersion = v.object({
  Version: v.string(),
  ApiVersion: v.string(),
  MinAPIVersion: v.optional(v.string(), ""),
});

const Description = v.object({
  OSType: v.optional(v.string(), "linux"),
  SystemTime: v.string(),
  Driver: v.optional(v.string(), ""),
  CgroupDriver: v.optional(v.string(), ""),
  CgroupVersion: v.optional(v.string(), "1"),
  DockerRootDir: v.optional(v.string(), ""),
  LiveRestoreEnabled: v.optional(v.boolean(), false),
  MemoryLimit: v.optional(v.boolean(), true),
  CpuCfsQuota: v.optional(v.boolean(), true),
  PidsLimit: v.optional(v.boolean(), true),
  /** By name; `null` where the engine does not tell. */
  Runtimes: v.nullish(v.record(v.string(), v.unknown()), null),
  Warnings: v.nullish(v.array(v.string()), []),
});
/** What an engine says of itself, as far as it matters here. */
export type EngineDescription = v.InferOutput<typeof Description>;

const sizes = v.nullish(
  v.array(v.object({ Size: v.optional(v.number(), 0), SizeRw: v.optional(v.number(), 0) })),
  [],
);
const Usage = v.object({
  LayersSize: v.optional(v.number(), 0),
  Containers: sizes,
  BuildCache: sizes,
  Volumes: v.nullish(
    v.array(v.object({ UsageData: v.nullish(v.object({ Size: v.number() })) })),
    [],
  ),
});

export interface DiskUse {
  images: number;
  containers: number;
  volumes: number;
  buildCache: number;
}

const SwarmNodes = v.array(
  v.object({
    Description: v.optional(v.object({ Hostname: v.optional(v.string(), "") })),
    Status: v.object({ State: v.string() }),
    Spec: v.object({ Availability: v.optional(v.string(), "active") }),
  }),
);

/** The questions that show how an engine is. Each throws as those of `Host` do. */
export type EngineLook = ReturnType<typeof lookAtEngine>;

/**
 * @param name A host of a pool; of a swarm its manager is asked.
 * @param outer Gives up every question, but takes a canary away all the same.
 */
export function lookAtEngine(name: string, access: HostAccess | undefined, outer: AbortSignal) {
  const { docker, close } = connectEngine(managerOf(name) ?? name, access);
  const ask = (path: string, ms = CALL_MS, more: Partial<Dial> = {}) =>
    engineCall(
      `${name}: ${path.replace(/\?.*/, "")}`,
      ms,
      (abortSignal) => dial(docker, { path, abortSignal, ...more }),
      outer,
    );
  return {
    close,

    async version() {
      const answer = v.safeParse(EngineVersion, await ask("/version", FIRST_MS));
      if (!answer.success) throw new Error(`${name}: what answers there is no Docker engine`);
      return answer.output;
    },

    async describe(): Promise<EngineDescription> {
      return v.parse(Description, await ask("/info"));
    },

    async diskUse(): Promise<DiskUse> {
      const usage = v.parse(Usage, await ask("/system/df", DISK_USE_MS));
      const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);
      return {
        images: usage.LayersSize,
        containers: sum(usage.Containers.map(({ SizeRw }) => SizeRw)),
        // The engine writes -1 for what it has not measured.
        volumes: sum(usage.Volumes.map(({ UsageData }) => Math.max(0, UsageData?.Size ?? 0))),
        buildCache: sum(usage.BuildCache.map(({ Size }) => Size)),
      };
    },

    /** The labels of all containers that have that label, running or not. */
    async labelsOfContainers(label: string): Promise<Record<string, string>[]> {
      const options = { all: "true", filters: JSON.stringify({ label: [label] }) };
      const found = await ask("/containers/json?", CALL_MS, { options });
      return v.parse(v.array(ListedContainer), found).map(({ Labels }) => Labels);
    },

    canary: (labels: Readonly<Record<string, string>>): Promise<Canary> =>
      runCanary(
        docker,
        (what, run, ms = CANARY_MS) =>
          engineCall(`${name}: ${what}`, ms, run, WITHOUT_SIGNAL.has(what) ? undefined : outer),
        labels,
      ),

    /** The nodes of the swarm that a manager has. */
    async swarmNodes(): Promise<{ name: string; state: string; isActive: boolean }[]> {
      return v.parse(SwarmNodes, await ask("/nodes")).map(({ Description, Status, Spec }) => ({
        name: Description?.Hostname ?? "",
        state: Status.State,
        isActive: Spec.Availability === "active",
      }));
    },
  };
}
