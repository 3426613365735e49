import * as v from "valibot";
import { parseImageReference } from "../core/image-reference.ts";
import { CONTAINER_KEYS } from "./container-keys.ts";
import { exactObject, listOf, oneOf, shortText, wholeNumber } from "./limits.ts";
import { Moment } from "./moment.ts";
import { NOTIFY_KEYS } from "./notify.ts";
import { SCHEDULE_KEYS } from "./schedule.ts";
import { isObject, isStorableJson, storableText } from "./text.ts";
import { joinWords, splitWords } from "./words.ts";

export const MAX_BODY_BYTES = 1024 * 1024;

export const NO_IMAGE_OR_COMMAND = "image and command must be filled in the request.";

const Image = v.pipe(
  storableText(500),
  v.nonEmpty(NO_IMAGE_OR_COMMAND),
  v.check(
    (text) => parseImageReference(text) !== null,
    "must be an image reference such as registry.example:5000/team/tool:1.2",
  ),
);

/** A command line, split as a POSIX shell splits words with nothing expanded, or the words themselves. */
const Command = v.union(
  [
    v.pipe(
      storableText(100_000),
      v.check((text) => splitWords(text) !== null, "must close every quote and escape it opens"),
      v.transform((text) => ({ text, words: splitWords(text) ?? [] })),
      v.check(({ words }) => words.length > 0, NO_IMAGE_OR_COMMAND),
    ),
    v.pipe(
      v.array(storableText(100_000)),
      v.minLength(1, NO_IMAGE_OR_COMMAND),
      v.maxLength(1_000, "must have at most 1000 words"),
      v.transform((words) => ({ text: joinWords(words), words })),
    ),
  ],
  ({ input, issues }) => {
    const ofText = typeof input === "string" ? issues?.[0] : undefined;
    const issue = Array.isArray(input) ? issues?.at(-1) : ofText;
    return issue?.message ?? "must be a string or an array of strings";
  },
);

const EnvName = v.pipe(
  storableText(500),
  v.nonEmpty("must have a name"),
  v.check((name) => !name.includes("="), 'must not have "=" in its name'),
);
const EnvValue = v.pipe(
  v.union(
    [storableText(100_000), v.pipe(v.number(), v.finite()), v.boolean()],
    "must be a string, number or boolean",
  ),
  v.transform(String),
);

// valibot's record drops these keys without a word.
const NAMES_NOT_KEPT = ["__proto__", "constructor", "prototype"];
const Envs = v.pipe(
  v.custom<Record<string, unknown>>(isObject, "must be an object of strings"),
  v.check(
    (envs) => !NAMES_NOT_KEPT.some((name) => Object.hasOwn(envs, name)),
    `must not have a variable named ${NAMES_NOT_KEPT.join(", ")}`,
  ),
  v.record(EnvName, EnvValue),
  v.check((envs) => Object.keys(envs).length <= 1_000, "must have at most 1000 variables"),
);

/** Kept as it was sent, whatever its keys are called. */
const Metadata = v.pipe(
  v.custom<Record<string, unknown>>(isObject, "must be an object"),
  v.check((custom) => isStorableJson(custom), "must be well-formed Unicode without NUL"),
);

const ONE_DAY_MS = 24 * 3_600_000;
const FACTOR_WRONG = "must be a number from 1 to 100";

const BackoffInput = exactObject({
  minMs: v.optional(wholeNumber(1, ONE_DAY_MS)),
  factor: v.optional(
    v.pipe(v.number(FACTOR_WRONG), v.minValue(1, FACTOR_WRONG), v.maxValue(100, FACTOR_WRONG)),
  ),
  maxMs: v.optional(wholeNumber(1, ONE_DAY_MS)),
  jitter: v.optional(v.boolean("must be true or false")),
});

/** The keys that say how executions are tried, limited and put in order. */
const RULE_KEYS = {
  retries: v.optional(
    v.pipe(
      wholeNumber(0, 100),
      v.description("more executions after one that failed or timed out"),
    ),
    0,
  ),
  backoff: v.optional(
    v.pipe(BackoffInput, v.description("the wait before a retry, growing by a factor")),
    {},
  ),
  retryOn: v.optional(
    v.pipe(
      listOf(wholeNumber(1, 255), 255),
      v.description("exit codes that are worth a retry; all but 0 when absent"),
    ),
  ),
  expiration: v.nullish(
    v.pipe(Moment, v.description("an execution that has not started by then ends as expired")),
  ),
  timeout: v.optional(
    v.pipe(
      wholeNumber(1, 1_000_000_000),
      v.description("seconds; the lower of it and the service's limit counts"),
    ),
  ),
  priority: v.optional(
    v.pipe(
      wholeNumber(-100, 100),
      v.description("those with a higher one start first; 0 when absent"),
    ),
    0,
  ),
  concurrencyKey: v.optional(
    v.pipe(shortText(200), v.description("executions that share it are limited together")),
  ),
  concurrencyLimit: v.optional(
    v.pipe(
      wholeNumber(1, 100_000),
      v.description("at most so many with the key run at once, over all hosts; 1 when absent"),
    ),
  ),
  idempotencyKey: v.optional(
    v.pipe(
      shortText(200),
      v.description("the same key within 24 hours gives the first answer again"),
    ),
  ),
  onHostLost: v.optional(
    v.pipe(
      oneOf("fail", "rerun"),
      v.description("what becomes of an execution whose host does not come back in time"),
    ),
    "fail",
  ),
};

/**
 * What a client POSTs to run a job: the keys of the contract. Keys beyond these are for the caller
 * to refuse: valibot would name the first alone.
 */
export const JobPayload = v.object({
  image: v.pipe(Image, v.description("image reference"), v.examples(["busybox:latest"])),
  command: v.pipe(
    Command,
    v.description(
      "a string, split as a shell splits words with nothing expanded, or the words themselves",
    ),
  ),
  envs: v.optional(
    v.pipe(Envs, v.description("variables; numbers and booleans become strings")),
    {},
  ),
  metadata: v.optional(v.pipe(Metadata, v.description("kept as metadata.custom of the job")), {}),
  pullPolicy: v.optional(
    v.pipe(
      oneOf("always", "missing", "never"),
      v.description(
        "when its image is pulled: before each execution (when absent), where the host lacks it, or never",
      ),
    ),
    "always",
  ),
  registryAuth: v.optional(
    v.pipe(shortText(255), v.description("name of a registry login of the configuration")),
  ),
  ...SCHEDULE_KEYS,
  ...RULE_KEYS,
  ...CONTAINER_KEYS,
  ...NOTIFY_KEYS,
});
export type JobPayload = v.InferOutput<typeof JobPayload>;
