import type { ContainerCreateOptions, ContainerInspectInfo, HostConfig } from "dockerode";
import * as v from "valibot";
import { type Confinement, ORDINARY } from "../core/confinement.ts";
import type { ContainerSpec, ContainerState } from "./host.ts";

// Docker's default driver turns bytes that are not UTF-8 into U+FFFD; this one keeps every byte.
// One file, never compressed: a place in it stays where it is until the container is removed.
export const LOG_CONFIG = {
  Type: "local",
  Config: { compress: "false", "max-file": "1", "max-size": "1g" },
};

/** Built up from what is allowed: nothing that a user sent reaches the engine's own options. */
export function createOptionsOf(spec: ContainerSpec): ContainerCreateOptions {
  return {
    name: spec.name,
    Image: spec.image,
    Cmd: [...spec.words],
    Env: Object.entries(spec.envs).map(([name, value]) => `${name}=${value}`),
    Labels: { ...spec.labels },
    Tty: false,
    OpenStdin: false,
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ...(spec.workdir === undefined ? {} : { WorkingDir: spec.workdir }),
    HostConfig: {
      LogConfig: LOG_CONFIG,
      RestartPolicy: { Name: "no" },
      ...confinedBy(spec.confinement ?? ORDINARY),
      ...limitsOf(spec),
      ...(spec.network === undefined ? {} : { NetworkMode: spec.network }),
      ...(spec.extraHosts === undefined ? {} : { ExtraHosts: [...spec.extraHosts] }),
    },
  };
}

/**
 * Where a program may write that can write nowhere else. Engines let nothing run from there, honour
 * no setuid bit and no device unless they are told to: many programs unpack a library to run it.
 */
export const SCRATCH = { path: "/tmp", option: "exec" };

/** The engine's options for how far a container is shut in. */
export function confinedBy(confinement: Confinement): HostConfig {
  const { runtime, readOnlyRoot, capabilities, noNewPrivileges } = confinement;
  return {
    CapDrop: ["ALL"],
    CapAdd: [...capabilities],
    ...(noNewPrivileges ? { SecurityOpt: ["no-new-privileges"] } : {}),
    ...(readOnlyRoot ? { ReadonlyRootfs: true, Tmpfs: { [SCRATCH.path]: SCRATCH.option } } : {}),
    ...(runtime === undefined ? {} : { Runtime: runtime }),
  };
}

/** Without swap: a limit that can be passed by it is none. */
function limitsOf({ cpus, memoryBytes, pids }: ContainerSpec) {
  return {
    ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
    ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...(pids === undefined ? {} : { PidsLimit: pids }),
  };
}

export const ListedContainer = v.object({
  Id: v.string(),
  State: v.string(),
  Labels: v.record(v.string(), v.string()),
});

/** `dead` and `removing` come after the process has ended; `paused` and `restarting` before. */
export function phaseOf(status: string): ContainerState["phase"] {
  if (status === "created") return "created";
  return ["exited", "dead", "removing"].includes(status) ? "ended" : "running";
}

export function containerStateOf(info: ContainerInspectInfo): ContainerState {
  const { State: state, Config: config } = info;
  return {
    id: info.Id,
    labels: config.Labels,
    phase: phaseOf(state.Status),
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    error: state.Error,
    startedAt: momentOf(state.StartedAt),
    finishedAt: momentOf(state.FinishedAt),
  };
}

/** The engine writes the year 1 for "never". */
function momentOf(text: string): Date | null {
  return text.startsWith("0001-") ? null : new Date(text);
}
