import { isIP } from "node:net";
import * as v from "valibot";
import {
  CPUS_WRONG,
  MAX_CPUS,
  MAX_PIDS,
  MEMORY_WRONG,
  MIN_CPUS,
  parseMemory,
} from "../core/resources.ts";
import { exactObject, shortText, wholeNumber } from "./limits.ts";
import { isObject } from "./text.ts";

const Memory = v.pipe(
  shortText(16),
  v.check((text) => parseMemory(text) !== null, MEMORY_WRONG),
  v.transform((text) => parseMemory(text) ?? 0),
);

const Cpus = v.pipe(
  v.number(CPUS_WRONG),
  v.minValue(MIN_CPUS, CPUS_WRONG),
  v.maxValue(MAX_CPUS, CPUS_WRONG),
);

const Resources = exactObject({
  cpus: v.optional(Cpus),
  memory: v.optional(Memory),
  pids: v.optional(wholeNumber(1, MAX_PIDS)),
});

const Network = v.pipe(
  shortText(255),
  v.regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, "must be the name of a Docker network"),
);
const User = v.pipe(
  shortText(255),
  v.regex(
    /^[a-zA-Z0-9_][a-zA-Z0-9_.-]*(:[a-zA-Z0-9_][a-zA-Z0-9_.-]*)?$/,
    "must be user or user:group",
  ),
);
const Workdir = v.pipe(shortText(4_096), v.regex(/^\/[^\n\r]*$/, "must be an absolute path"));

const DNS_WRONG = "must be an object of host names to IP addresses, of 100 at most";
const DnsEntries = v.pipe(
  v.custom<Record<string, string>>(isDnsEntries, DNS_WRONG),
  v.transform((entries) => Object.entries(entries).map(([name, address]) => `${name}:${address}`)),
);

/** The keys that reach the container's own options, where the pool allows them. */
export const CONTAINER_KEYS = {
  resources: v.optional(v.pipe(Resources, v.description("the most that the container may take"))),
  network: v.optional(v.pipe(Network, v.description("a Docker network, where the pool allows it"))),
  user: v.optional(
    v.pipe(User, v.description("who the process runs as, where the pool allows it")),
  ),
  workdir: v.optional(v.pipe(Workdir, v.description("an absolute path, where the pool allows it"))),
  additionalDNSEntries: v.optional(
    v.pipe(
      DnsEntries,
      v.description("host names and their IP addresses, where the pool allows it"),
    ),
  ),
};

function isDnsEntries(value: unknown): value is Record<string, string> {
  if (!isObject(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= 100 &&
    entries.every(
      ([name, address]) =>
        /^[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,251}[a-zA-Z0-9])?$/.test(name) &&
        typeof address === "string" &&
        isIP(address) !== 0,
    )
  );
}
