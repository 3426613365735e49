import { isIP } from "node:net";
import * as v from "valibot";
import { parseHostName } from "../core/host-name.ts";
import { SECRET_WORDS } from "../core/redact.ts";

const wholeNumber = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
};
const text = v.pipe(v.string("must be a text"), v.nonEmpty("must not be empty"));
const httpUrl = v.pipe(
  text,
  v.check((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ""), "must be an http(s) URL"),
);
const postgresUrl = v.pipe(text, v.regex(/^postgres(ql)?:\/\//, "must begin with postgres://"));
const network = v.pipe(
  text,
  v.check(isNetwork, "must be an IP address or a network such as 10.0.0.0/8"),
);
const expression = v.pipe(
  v.string("must be a text"),
  v.check(isExpression, "must be a regular expression"),
);

const DEFAULT_MAX_RUNNING = 20;
const LOCAL_SOCKET = "unix:///var/run/docker.sock";

const hostName = v.pipe(
  text,
  v.check(
    (name) => parseHostName(name) !== null,
    "must be unix:///path/to/docker.sock, tcp://name:port or name:port",
  ),
);

export const Pool = v.object({
  match: v.optional(expression, ""),
  hosts: v.pipe(
    v.array(hostName, "must be a list of hosts"),
    v.minLength(1, "must name at least one host"),
  ),
  maxRunning: v.optional(wholeNumber(1, 100_000), DEFAULT_MAX_RUNNING),
});

/**
 * Every key of the configuration, with its default and what is allowed. Keys beyond these are for
 * the reader to refuse: valibot would name the first alone.
 */
export const ConfigSchema = v.object({
  port: v.optional(wholeNumber(0, 65_535), 10_000),
  host: v.optional(text, "127.0.0.1"),
  publicUrl: v.optional(httpUrl),
  trustedProxies: v.optional(v.array(network, "must be a list of addresses"), []),
  dataDir: v.optional(text),
  databaseUrl: v.optional(postgresUrl),
  dockerHosts: v.optional(
    v.pipe(
      v.array(Pool, "must be a list of pools"),
      v.minLength(1, "must have at least one pool"),
      v.check(
        (pools) => new Set(pools.map(({ match }) => match)).size === pools.length,
        "must not have two pools with the same match",
      ),
    ),
    [{ match: "", hosts: [LOCAL_SOCKET] }],
  ),
  envBlacklistedWords: v.optional(v.array(text, "must be a list of words"), [...SECRET_WORDS]),
  paginationPerPage: v.optional(wholeNumber(1, 100), 10),
  logLevel: v.optional(
    v.picklist(["debug", "info", "warn", "error"], 'must be "debug", "info", "warn" or "error"'),
    "info",
  ),
  noAuth: v.optional(v.boolean("must be true or false"), false),
});

/** The configuration of one process: read once, checked whole, never changed. */
export type Config = Readonly<v.InferOutput<typeof ConfigSchema>> & { readonly dataDir: string };

function isExpression(source: string): boolean {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}

function isNetwork(text: string): boolean {
  const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits ?? 0) <= (version === 6 ? 128 : 32);
}
