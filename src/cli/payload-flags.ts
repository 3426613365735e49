import { type Command, InvalidArgumentError, Option } from "commander";
import { messageOf } from "../core/errors.ts";
import { envsOf } from "./envs.ts";
import * as values from "./payload-values.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Payload = Record<string, unknown>;

interface Flag {
  option: Option;
  /** Which key of the payload it is for. */
  key: string;
  /** Within that key, where the key is an object. */
  within?: string;
}

const flag = (
  key: string,
  flags: string,
  description: string,
  parse?: (text: string) => unknown,
): Flag => {
  const option = new Option(flags, description);
  const [outer = key, within] = key.split(".");
  if (parse !== undefined) option.argParser(parse);
  return { option, key: outer, ...(within === undefined ? {} : { within }) };
};
const choice = (key: string, flags: string, description: string, ...choices: string[]): Flag => ({
  ...flag(key, flags, description),
  option: new Option(flags, description).choices(choices),
});
const list = (key: string, flags: string, description: string): Flag => ({
  ...flag(key, flags, description),
  option: new Option(flags, description).argParser(values.more),
});

/** Flags whose value is that of their key. */
const PLAIN: readonly Flag[] = [
  flag("image", "--image <image>", "what to run the command in"),
  choice("pullPolicy", "--pull <when>", "always unless given", "missing", "always", "never"),
  flag("registryAuth", "--registry-auth <name>", "a login of the service's configuration"),
  flag("startIn", "--in <duration>", "run that much later: 2h30m50s"),
  flag("startAt", "--at <time>", "run then: ISO 8601 or UNIX seconds", values.moment),
  flag("cron", "--cron <expression>", "run again and again: five fields, or six with seconds"),
  flag("timezone", "--timezone <name>", "of --cron, such as Europe/Berlin; UTC unless given"),
  choice("overlap", "--overlap <how>", "while an earlier one runs", "allow", "skip", "queue"),
  choice("catchUp", "--catch-up <which>", "ticks that nobody fired", "none", "last", "all"),
  flag("retries", "--retries <number>", "more tries after one that failed", values.number),
  flag("backoff.minMs", "--backoff-min <duration>", "the first wait: 500ms", values.durationMs),
  flag("backoff.factor", "--backoff-factor <number>", "by which it grows", values.number),
  flag("backoff.maxMs", "--backoff-max <duration>", "the longest wait", values.durationMs),
  flag("backoff.jitter", "--no-backoff-jitter", "wait exactly so long"),
  flag("retryOn", "--retry-on <codes>", "exit codes worth a try: 1,75", values.numbers),
  flag("timeout", "--timeout <duration>", "seconds, or such as 30m", values.seconds),
  flag("expiration", "--expiration <time>", "not started by then, it never is", values.moment),
  flag("priority", "--priority <number>", "-100 to 100, higher first", values.number),
  flag("concurrencyKey", "--concurrency-key <key>", "those that share it are limited together"),
  flag("concurrencyLimit", "--concurrency-limit <number>", "to so many at once", values.number),
  flag("idempotencyKey", "--idempotency-key <key>", "the same key within a day is the same job"),
  choice("onHostLost", "--on-host-lost <what>", "fail unless given", "fail", "rerun"),
  flag("resources.cpus", "--cpus <number>", "at most so many", values.number),
  flag("resources.memory", "--memory <size>", "at most so much: 512m, 2g"),
  flag("resources.pids", "--pids <number>", "at most so many processes", values.number),
  flag("network", "--network <name>", "a Docker network"),
  flag("user", "--user <user>", "who the process runs as, user or user:group"),
  flag("workdir", "--workdir <path>", "where the process runs"),
];

/** Flags that may be given several times, or have a form of their own. */
const LISTS: readonly Flag[] = [
  list("envs", "-e, --env <name=value>", "a variable; NAME alone takes its value from here"),
  list("envs", "--env-file <file>", "lines of NAME=VALUE or NAME"),
  list("additionalDNSEntries", "--add-host <name:address>", "a host name and its IP address"),
  list("metadata", "--metadata <key=value>", "kept with the job; also a JSON object"),
  list("notify", "--notify <event=address>", "mail when it starts, succeeds, fails or finishes"),
  list("webhooks", "--webhook <event=url>", "call a URL when it starts, succeeds, ..."),
  list("webhooks", "--webhooks-file <file>", "the key webhooks in JSON, with headers and secrets"),
  flag("payload", "--payload <file>", "a whole payload in JSON, - is stdin; flags go over it"),
];

/** What of a payload flags can give; `command` is the words behind `--`. */
export const PAYLOAD_KEYS: ReadonlySet<string> = new Set([
  "command",
  ...[...PLAIN, ...LISTS].map(({ key }) => key),
]);

export function withPayloadOptions(command: Command): Command {
  for (const { option } of [...PLAIN, ...LISTS]) command.addOption(option);
  return command;
}

/**
 * The payload that the flags and words of a command make.
 *
 * @throws {InvalidArgumentError} When a value is not of the form of its flag.
 */
export function payloadOf(
  command: Command,
  words: readonly string[],
  environment: Environment,
): Payload {
  const given = command.opts<Record<string, unknown>>();
  const texts = (name: string) => (given[name] ?? []) as string[];
  const file = given["payload"];
  const payload: Payload =
    typeof file === "string" ? named("--payload", () => values.fileObject(file)) : {};
  if (words.length > 0) payload["command"] = words;
  for (const { option, key, within } of PLAIN) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== "cli") continue;
    payload[key] =
      within === undefined ? given[name] : { ...part(payload, key), [within]: given[name] };
  }
  const envs = named("--env and --env-file", () =>
    envsOf(texts("envFile"), texts("env"), environment),
  );
  merge(payload, "envs", envs);
  const hosts = named("--add-host", () => texts("addHost").map(values.hostEntry));
  merge(payload, "additionalDNSEntries", Object.fromEntries(hosts));
  const metadata = named("--metadata", () => texts("metadata").map(values.metadataOf));
  merge(payload, "metadata", Object.assign({}, ...metadata));
  for (const path of texts("webhooksFile")) {
    merge(
      payload,
      "webhooks",
      named("--webhooks-file", () => values.fileObject(path)),
    );
  }
  for (const [event, addresses] of texts("notify").map(values.eventAnd)) {
    append(payload, "notify", event, addresses.split(","));
  }
  for (const [event, url] of texts("webhook").map(values.eventAnd)) {
    append(payload, "webhooks", event, [{ url }]);
  }
  return payload;
}

/** Whose value is wrong is said in front: the value itself may be a secret. */
function named<Value>(flags: string, value: () => Value): Value {
  try {
    return value();
  } catch (error) {
    throw new InvalidArgumentError(`${flags}: ${messageOf(error)}`);
  }
}

function part(payload: Payload, key: string): Record<string, unknown> {
  const value = payload[key];
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function merge(payload: Payload, key: string, value: Record<string, unknown>): void {
  if (Object.keys(value).length > 0) payload[key] = { ...part(payload, key), ...value };
}

function append(payload: Payload, key: string, event: string, items: readonly unknown[]): void {
  const before = part(payload, key)[event];
  merge(payload, key, { [event]: [...(Array.isArray(before) ? before : []), ...items] });
}
