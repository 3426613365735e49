import * as v from "valibot";
import { CAPABILITIES, capabilityNamed, ORDINARY } from "../core/confinement.ts";
import { isImagePattern } from "../core/image-pattern.ts";
import {
  CPUS_WRONG,
  formatMemory,
  MAX_CPUS,
  MAX_PIDS,
  MEMORY_WRONG,
  MIN_CPUS,
  parseMemory,
} from "../core/resources.ts";
import { text, truth, wholeNumber } from "./values.ts";

const cpus = v.pipe(
  v.number(CPUS_WRONG),
  v.minValue(MIN_CPUS, CPUS_WRONG),
  v.maxValue(MAX_CPUS, CPUS_WRONG),
);
const memory = v.pipe(
  v.string(MEMORY_WRONG),
  v.check((size) => parseMemory(size) !== null, MEMORY_WRONG),
  v.transform((size) => parseMemory(size) ?? 0),
);
const pids = wholeNumber(1, MAX_PIDS);

const imagePattern = v.pipe(
  text,
  v.check(
    isImagePattern,
    "must be a pattern on the whole reference, such as docker.io/library/busybox, " +
      'registry.example:5000/team/*:1.* or "**"',
  ),
);

/** `host` and `container:...` would leave the container's own network. */
const networkName = v.pipe(
  text,
  v.check((name) => name !== "host" && !name.includes(":"), "must be the name of a Docker network"),
);

const capability = v.pipe(
  text,
  v.check(
    (name) => capabilityNamed(name) !== null,
    `must be a capability of Linux, one of ${CAPABILITIES.join(", ")}`,
  ),
  v.transform((name) => capabilityNamed(name) ?? name),
);

/** What payloads may ask for in a pool. */
export const Allow = v.pipe(
  v.object(
    {
      images: v.optional(
        v.pipe(
          v.array(imagePattern, "must be a list of patterns"),
          v.minLength(1, "must have at least one pattern"),
        ),
      ),
      digestsOnly: v.optional(truth, false),
      networks: v.optional(v.array(networkName, "must be a list of networks"), []),
      users: v.optional(v.array(text, "must be a list of users"), []),
      workdir: v.optional(truth, false),
      additionalDNSEntries: v.optional(truth, false),
      maxCpus: v.optional(cpus),
      maxMemory: v.optional(memory),
      maxPids: v.optional(pids),
    },
    "must be a table",
  ),
  v.transform(({ maxMemory, ...allowed }) => ({ ...allowed, maxMemoryBytes: maxMemory })),
);

/** How every container of a pool is made. */
export const Containers = v.pipe(
  v.object(
    {
      cpus: v.optional(cpus),
      memory: v.optional(memory),
      pids: v.optional(pids),
      runtime: v.optional(
        v.pipe(
          text,
          v.regex(
            /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/,
            "must be the name of a runtime that the engine knows, such as runsc",
          ),
        ),
      ),
      readOnlyRoot: v.optional(truth, ORDINARY.readOnlyRoot),
      capabilities: v.optional(v.array(capability, "must be a list of capabilities"), [
        ...ORDINARY.capabilities,
      ]),
      noNewPrivileges: v.optional(truth, ORDINARY.noNewPrivileges),
    },
    "must be a table",
  ),
  v.transform(({ memory: memoryBytes, ...rules }) => ({ ...rules, memoryBytes })),
);

interface PoolValues {
  swarm?: string | undefined;
  allow?: v.InferOutput<typeof Allow> | undefined;
  containers?: v.InferOutput<typeof Containers> | undefined;
}

/** What is wrong with rules of a pool that are each right alone; each goes on behind its name. */
export function faultsOfPolicy({ swarm, allow, containers }: PoolValues): string[] {
  const { cpus, memoryBytes, pids, runtime } = containers ?? {};
  return [
    ...above("cpus", cpus, "maxCpus", allow?.maxCpus),
    ...above("memory", memoryBytes, "maxMemory", allow?.maxMemoryBytes, formatMemory),
    ...above("pids", pids, "maxPids", allow?.maxPids),
    ...(swarm !== undefined && runtime !== undefined
      ? [
          "must not have containers.runtime with a swarm, whose nodes start services in their " +
            "default runtime alone: configure that on the nodes",
        ]
      : []),
  ];
}

function above(
  key: string,
  value: number | undefined,
  rule: string,
  most: number | undefined,
  shown: (value: number) => string = String,
): string[] {
  if (value === undefined || most === undefined || value <= most) return [];
  return [`must not have containers.${key} (${shown(value)}) above allow.${rule} (${shown(most)})`];
}
