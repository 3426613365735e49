import { isIP } from "node:net";
import * as v from "valibot";
import { exactObject, shortText, wholeNumber } from "./limits.ts";
import { isObject } from "./text.ts";

const MEMORY = /^(\d{1,12})([bkmg]?)$/i;
const UNIT_BYTES: Record<string, number> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
/** Docker starts no container with less. */
const MIN_MEMORY_BYTES = 6 * 2 ** 20;
const MAX_MEMORY_BYTES = 2 ** 50;
const MEMORY_WRONG = "must be a size such as 512m or 2g, of 6m at least";

const Memory = v.pipe(
  shortText(16),
  v.check((text) => {
    const bytes = memoryBytes(text);
    return bytes !== null && bytes >= MIN_MEMORY_BYTES && bytes <= MAX_MEMORY_BYTES;
  }, MEMORY_WRONG),
  v.transform((text) => memoryBytes(text) ?? MIN_MEMORY_BYTES),
);

const CPUS_WRONG = "must be a number from 0.01 to 1024";
const Cpus = v.pipe(
  v.number(CPUS_WRONG),
  v.minValue(0.01, CPUS_WRONG),
  v.maxValue(1_024, CPUS_WRONG),
);

const Resources = exactObject({
  cpus: v.optional(Cpus),
  memory: v.optional(Memory),
  pids: v.optional(wholeNumber(1, 4_194_304)),
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

function memoryBytes(text: string): number | null {
  const [whole, digits, unit = ""] = MEMORY.exec(text) ?? [];
  return whole === undefined ? null : Number(digits) * (UNIT_BYTES[unit.toLowerCase()] ?? 1);
}

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
