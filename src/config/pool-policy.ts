import * as v from "valibot";
import { CAPABILITIES, capabilityNamed, ORDINARY } from "../core/confinement.ts";
import { isImagePattern } from "../core/image-pattern.ts";
import type { Policy } from "../core/policy.ts";
import {
  CPUS_WRONG,
  formatMemory,
  MAX_CPUS,
  MAX_PIDS,
  MEMORY_WRONG,
  MIN_CPUS,
  parseMemory,
} from "../core/resources.ts";
import { key } from "./key.ts";
import { text, truth, wholeNumber } from "./values.ts";

const cpus = v.pipe(
  v.number(CPUS_WRONG),
  v.minValue(MIN_CPUS, CPUS_WRONG),
  v.maxValue(MAX_CPUS, CPUS_WRONG),
);
const memory = v.pipe(
  v.string(MEMORY_WRONG),
  v.check((size) => parseMemory(size) !== null, MEMORY_WRONG),
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
export const Allow = v.object(
  {
    images: key(
      "Patterns on the whole reference of an image: `*` is any run of characters without `/`, `**` with it",
      v.optional(
        v.pipe(
          v.array(imagePattern, "must be a list of patterns"),
          v.minLength(1, "must have at least one pattern"),
        ),
      ),
      { example: ["docker.io/library/*", "registry.example/team/**"], otherwise: "all images" },
    ),
    digestsOnly: key("Whether images must be named by their digests", v.optional(truth, false)),
    networks: key(
      "Docker networks by name; never the host's own",
      v.optional(v.array(networkName, "must be a list of networks"), []),
      { example: ["jobs"] },
    ),
    users: key(
      'Users as a payload writes them; `"*"` is any',
      v.optional(v.array(text, "must be a list of users"), []),
      { example: ["1000:1000", "nobody"] },
    ),
    workdir: key("A working directory", v.optional(truth, false)),
    additionalDNSEntries: key("Names in /etc/hosts", v.optional(truth, false)),
    maxCpus: key("The most processors that a payload may ask for", v.optional(cpus), {
      example: 4,
      otherwise: "no limit",
    }),
    maxMemory: key("The most memory that a payload may ask for", v.optional(memory), {
      example: "8g",
      otherwise: "no limit",
    }),
    maxPids: key("The most processes that a payload may ask for", v.optional(pids), {
      example: 4_096,
      otherwise: "no limit",
    }),
  },
  "must be a table",
);

/** How every container of a pool is made. */
export const Containers = v.object(
  {
    cpus: key("Processors, where a payload names none", v.optional(cpus), {
      example: 1,
      otherwise: "allow.maxCpus, else no limit",
    }),
    memory: key("Memory, where a payload names none", v.optional(memory), {
      example: "512m",
      otherwise: "allow.maxMemory, else no limit",
    }),
    pids: key("Processes at once, where a payload names none", v.optional(pids), {
      example: 512,
      otherwise: "allow.maxPids, else no limit",
    }),
    runtime: key(
      "What the engine runs containers by",
      v.optional(
        v.pipe(
          text,
          v.regex(
            /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/,
            "must be the name of a runtime that the engine knows, such as runsc",
          ),
        ),
      ),
      { example: "runsc", otherwise: "the engine's default" },
    ),
    readOnlyRoot: key(
      "Whether the root file system is read-only; /tmp is in memory then",
      v.optional(truth, ORDINARY.readOnlyRoot),
    ),
    capabilities: key(
      "The capabilities of Linux that are kept; all others are dropped",
      v.optional(v.array(capability, "must be a list of capabilities"), [...ORDINARY.capabilities]),
    ),
    noNewPrivileges: key(
      "Whether no program in a container may gain what its parent had not",
      v.optional(truth, ORDINARY.noNewPrivileges),
    ),
  },
  "must be a table",
);

interface PoolValues {
  swarm?: string | undefined;
  allow?: v.InferOutput<typeof Allow> | undefined;
  containers?: v.InferOutput<typeof Containers> | undefined;
}

/** The rules of a pool, with its sizes in bytes. */
export function policyOf({ allow, containers }: PoolValues): Pick<Policy, "allow" | "containers"> {
  return {
    ...(allow === undefined ? {} : { allow: allowedOf(allow) }),
    ...(containers === undefined ? {} : { containers: rulesOf(containers) }),
  };
}

const allowedOf = ({ maxMemory, ...allowed }: v.InferOutput<typeof Allow>) => ({
  ...allowed,
  maxMemoryBytes: bytesOf(maxMemory),
});

const rulesOf = ({ memory, ...rules }: v.InferOutput<typeof Containers>) => ({
  ...rules,
  memoryBytes: bytesOf(memory),
});

/** @param size One that has been checked. */
const bytesOf = (size: string | undefined) =>
  size === undefined ? undefined : (parseMemory(size) ?? undefined);

/** What is wrong with rules of a pool that are each right alone; each goes on behind its name. */
export function faultsOfPolicy({ swarm, allow, containers }: PoolValues): string[] {
  const { cpus, memory, pids, runtime } = containers ?? {};
  return [
    ...above("cpus", cpus, "maxCpus", allow?.maxCpus),
    ...above("memory", bytesOf(memory), "maxMemory", bytesOf(allow?.maxMemory), formatMemory),
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
