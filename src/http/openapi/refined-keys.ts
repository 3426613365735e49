import type { JsonSchema } from "@valibot/to-json-schema";

const MAX_MOMENT = 253_402_300_799;

/** A moment as clients may write it. */
export const REFINED_MOMENT: JsonSchema = {
  anyOf: [
    { type: "number", minimum: 0, maximum: MAX_MOMENT, description: "UNIX seconds" },
    {
      type: "string",
      maxLength: 64,
      pattern: "^(\\d{1,12}(\\.\\d{1,6})?|\\d{4}-\\d\\d-\\d\\dT.+)$",
      description: "ISO 8601, in UTC when it has no offset",
    },
  ],
  examples: ["2030-03-29T03:00:00Z", 1_900_000_000],
};

/**
 * What holds for a key of a request beyond what its schema tells: rules that its checks have in
 * code, and meanings of keys inside keys. What the schema tells goes over it.
 */
export const REFINED_KEYS: Record<string, JsonSchema> = {
  command: { examples: ["ls -lah", ["sh", "-c", "echo $HOME"]] },
  envs: {
    type: "object",
    maxProperties: 1_000,
    propertyNames: { type: "string", minLength: 1, maxLength: 500, pattern: "^[^=]*$" },
    additionalProperties: {
      anyOf: [{ type: "string", maxLength: 100_000 }, { type: "number" }, { type: "boolean" }],
    },
    examples: [{ SMTP_SERVER: "my-smtp-server" }],
  },
  metadata: { type: "object", additionalProperties: true, examples: [{ username: "heynemann" }] },
  headers: {
    type: "object",
    description: "sent with the call; without Host and those of the connection",
    maxProperties: 50,
    propertyNames: { type: "string", pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$" },
    additionalProperties: { type: "string", maxLength: 4_000 },
  },
  additionalDNSEntries: {
    type: "object",
    maxProperties: 100,
    propertyNames: { type: "string", pattern: "^[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,251}[a-zA-Z0-9])?$" },
    additionalProperties: {
      anyOf: [
        { type: "string", format: "ipv4" },
        { type: "string", format: "ipv6" },
      ],
    },
    examples: [{ "db.internal": "10.0.0.7" }],
  },
  startIn: { pattern: "^(?=.)(\\d{1,7}h)?(\\d{1,9}m)?(\\d{1,11}s)?$", examples: ["2h30m50s"] },
  timezone: { examples: ["Europe/Berlin"] },
  cpus: { description: "how many CPUs, as 0.5" },
  memory: {
    description: "6m or more",
    pattern: "^\\d{1,12}[bkmgBKMG]?$",
    examples: ["512m", "2g"],
  },
  pids: { description: "how many processes" },
  minMs: { description: "milliseconds before the first retry" },
  factor: { description: "how much longer each next wait is" },
  maxMs: { description: "milliseconds that no wait goes beyond" },
  jitter: { description: "spreads each wait over its upper half" },
  url: { description: "an http or https URL, without user and password", format: "uri" },
  method: { description: "POST when absent" },
  retries: { description: "more tries after one that failed" },
  secret: { description: "what the call is signed with; never shown again" },
  starts: { description: "when an execution begins" },
  succeeds: { description: "when it ends as done" },
  fails: { description: "when it ends as failed or timedout" },
  finishes: { description: "however it ends" },
};
