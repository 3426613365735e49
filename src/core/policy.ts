import { type Confinement, ORDINARY } from "./confinement.ts";
import type { Issue } from "./errors.ts";
import { fitsPattern, fullNameOf } from "./image-pattern.ts";
import { formatMemory } from "./resources.ts";

/** What payloads may ask of the containers of a pool, beyond what is harmless. */
interface Allowed {
  /** Patterns on the whole reference; all images when absent. */
  images?: readonly string[] | undefined;
  /** Whether a tag does not do. */
  digestsOnly?: boolean | undefined;
  /** Docker networks by name. */
  networks: readonly string[];
  /** Users as a payload writes them; "*" is any. */
  users: readonly string[];
  workdir: boolean;
  additionalDNSEntries: boolean;
  maxCpus?: number | undefined;
  maxMemoryBytes?: number | undefined;
  maxPids?: number | undefined;
}

/** The most that a container may take. */
export interface Limits {
  cpus?: number | undefined;
  memoryBytes?: number | undefined;
  pids?: number | undefined;
}

/** How every container of a pool is made; the limits are for payloads that name none. */
interface ContainerRules extends Confinement, Limits {}

/** What a pool says of the containers in it. */
export interface Policy {
  /** The pool's name. */
  match: string;
  /** Nothing but what is harmless when absent. */
  allow?: Allowed | undefined;
  /** As `ORDINARY` when absent. */
  containers?: ContainerRules | undefined;
}

/** What of a request a policy is about. */
export interface Asked extends Limits {
  image: string;
  network?: string | undefined;
  user?: string | undefined;
  workdir?: string | undefined;
  extraHosts?: readonly string[] | undefined;
}

const NOTHING: Allowed = { networks: [], users: [], workdir: false, additionalDNSEntries: false };

/** A rule that a request breaks. */
interface Breach {
  /** Of the payload. */
  key: string;
  /** As the configuration names it. */
  rule: string;
  /** What it must be instead, up to the word before "allowed". */
  must: string;
}

/**
 * Which rules of its pool a request breaks: for each the key of the payload, and a sentence that
 * names the rule as the configuration does, and what it allows.
 */
export function breachesOf({ match, allow = NOTHING }: Policy, asked: Asked): Issue[] {
  return [...breachesOfImage(allow, asked), ...breachesOfRest(allow, asked)].map(
    ({ key, rule, must }) => ({
      path: key,
      message: `${must} allowed by allow.${rule} of pool "${match}"`,
    }),
  );
}

function* breachesOfImage({ images, digestsOnly }: Allowed, asked: Asked): Generator<Breach> {
  const image = fullNameOf(asked.image);
  if (images !== undefined && !images.some((one) => image !== null && fitsPattern(image, one))) {
    const must = `must fit ${images.join(" or ")}: no other is`;
    yield { key: "image", rule: "images", must };
  }
  if (digestsOnly && !image?.isDigest) {
    yield { key: "image", rule: "digestsOnly", must: "must have a digest: no tag is" };
  }
}

function* breachesOfRest(allow: Allowed, asked: Asked): Generator<Breach> {
  const { network, user, workdir, extraHosts, cpus, memoryBytes, pids } = asked;
  const { networks, users, maxCpus, maxMemoryBytes, maxPids } = allow;
  if (network !== undefined && !networks.includes(network)) {
    yield { key: "network", rule: "networks", must: oneOf(networks) };
  }
  if (user !== undefined && !users.includes(user) && !users.includes("*")) {
    yield { key: "user", rule: "users", must: oneOf(users) };
  }
  if (workdir !== undefined && !allow.workdir) {
    yield { key: "workdir", rule: "workdir", must: "is not" };
  }
  if (extraHosts !== undefined && !allow.additionalDNSEntries) {
    yield { key: "additionalDNSEntries", rule: "additionalDNSEntries", must: "is not" };
  }
  if (isMore(cpus, maxCpus)) {
    yield { key: "resources.cpus", rule: "maxCpus", must: atMost(maxCpus) };
  }
  if (isMore(memoryBytes, maxMemoryBytes)) {
    const must = atMost(formatMemory(maxMemoryBytes ?? 0));
    yield { key: "resources.memory", rule: "maxMemory", must };
  }
  if (isMore(pids, maxPids)) {
    yield { key: "resources.pids", rule: "maxPids", must: atMost(maxPids) };
  }
}

function oneOf(allowed: readonly string[]): string {
  return allowed.length === 0 ? "is not" : `must be one of ${allowed.join(", ")}: no other is`;
}

const isMore = (value: number | undefined, max: number | undefined) =>
  value !== undefined && max !== undefined && value > max;

const atMost = (max: number | string | undefined) => `must be at most ${max}: no more is`;

/** What a container is held to: what was asked for, else the pool's own, else the most of the pool. */
export function limitsOf({ allow, containers }: Policy, asked: Limits): Limits {
  return {
    cpus: asked.cpus ?? containers?.cpus ?? allow?.maxCpus,
    memoryBytes: asked.memoryBytes ?? containers?.memoryBytes ?? allow?.maxMemoryBytes,
    pids: asked.pids ?? containers?.pids ?? allow?.maxPids,
  };
}

export function confinementOf({ containers }: Policy): Confinement {
  return containers ?? ORDINARY;
}
