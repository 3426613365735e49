import { type Confinement, ORDINARY } from "../core/confinement.ts";
import { LOG_CONFIG, SCRATCH } from "./container.ts";
import type { ContainerSpec } from "./host.ts";
import type { Service } from "./swarm-records.ts";

/**
 * From SIGTERM to SIGKILL, as the worker asks of every host. A swarm wants to know it beforehand.
 */
const STOP_GRACE_NANOS = 10e9;

/** Written with the order to stop, which is never taken back. */
const STOPPED_LABEL = "fastlane.stopped";
/** No node has this id: what a stopped service would run next finds no place. */
const NOWHERE = { Constraints: ["node.id==nowhere"] };

/**
 * A service that runs nothing yet: it is started by asking for one replica, which the manager takes
 * only from who knows the service's latest version.
 *
 * Its mode is not `replicated-job`: an engine 20.10 that becomes the leader runs a failed job's task
 * once more, whatever the restart condition, and leaves the tasks and containers of ended jobs behind
 * when their service is removed.
 */
export function serviceSpecOf(spec: ContainerSpec): object {
  return {
    Name: spec.name,
    Labels: { ...spec.labels },
    Mode: { Replicated: { Replicas: 0 } },
    TaskTemplate: {
      ContainerSpec: {
        Image: spec.image,
        Args: [...spec.words],
        Env: Object.entries(spec.envs).map(([name, value]) => literal(`${name}=${value}`)),
        Labels: { ...spec.labels },
        TTY: false,
        OpenStdin: false,
        StopGracePeriod: STOP_GRACE_NANOS,
        ...confinedBy(spec.confinement ?? ORDINARY),
        ...(spec.user === undefined ? {} : { User: spec.user }),
        ...(spec.workdir === undefined ? {} : { Dir: spec.workdir }),
        ...(spec.extraHosts === undefined ? {} : { Hosts: spec.extraHosts.map(hostsLineOf) }),
      },
      RestartPolicy: { Condition: "none", MaxAttempts: 0 },
      LogDriver: { Name: LOG_CONFIG.Type, Options: LOG_CONFIG.Config },
      Resources: { Limits: limitsOf(spec) },
      ...(spec.network === undefined ? {} : { Networks: [{ Target: spec.network }] }),
    },
  };
}

/** A swarm has no choice of runtimes. */
function confinedBy({ readOnlyRoot, capabilities, noNewPrivileges }: Confinement) {
  return {
    CapabilityDrop: ["ALL"],
    CapabilityAdd: [...capabilities],
    // Known to engines from 25 on; older ones pass over it.
    Privileges: { NoNewPrivileges: noNewPrivileges },
    ...(readOnlyRoot
      ? {
          ReadOnly: true,
          // The option is known to engines from 27 on; older ones pass over it.
          Mounts: [
            {
              Type: "tmpfs",
              Target: SCRATCH.path,
              TmpfsOptions: { Options: [[SCRATCH.option]] },
            },
          ],
        }
      : {}),
  };
}

/** A swarm takes `{{` in a variable for the beginning of a template, and has no way to say not to. */
function literal(variable: string): string {
  return variable.replaceAll("{{", '{{"{{"}}');
}

/** `name:address` as a line of /etc/hosts. */
function hostsLineOf(entry: string): string {
  const colon = entry.indexOf(":");
  return `${entry.slice(colon + 1)} ${entry.slice(0, colon)}`;
}

function limitsOf({ cpus, memoryBytes, pids }: ContainerSpec) {
  return {
    ...(cpus === undefined ? {} : { NanoCPUs: Math.round(cpus * 1e9) }),
    ...(memoryBytes === undefined ? {} : { MemoryBytes: memoryBytes }),
    ...(pids === undefined ? {} : { Pids: pids }),
  };
}

export const isStarted = ({ Spec }: Service) => (Spec.Mode.Replicated?.Replicas ?? 0) > 0;

export const isStopped = ({ Spec }: Service) => STOPPED_LABEL in Spec.Labels;

export function startedSpec({ Spec }: Service): Service["Spec"] {
  return { ...Spec, Mode: { Replicated: { Replicas: 1 } } };
}

/**
 * Makes the swarm end the task as one that is out of date, and keep it and its log: those of a
 * service that is scaled down are gone at once.
 */
export function stoppedSpec({ Spec }: Service): Service["Spec"] {
  return {
    ...Spec,
    Labels: { ...Spec.Labels, [STOPPED_LABEL]: "true" },
    TaskTemplate: { ...Spec.TaskTemplate, Placement: NOWHERE },
  };
}
