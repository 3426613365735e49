import * as v from "valibot";
import { formatImageReference, parseImageReference } from "../core/image-reference.ts";
import { isObject, isStorableJson, storableText } from "./text.ts";
import { joinWords, splitWords } from "./words.ts";

export const MAX_BODY_BYTES = 1024 * 1024;

const NO_IMAGE_OR_COMMAND = "image and command must be filled in the request.";

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
  ({ input, issues }) =>
    (Array.isArray(input) ? issues?.at(-1) : issues?.[0])?.message ??
    "must be a string or an array of strings",
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

/**
 * What a client POSTs to run a job: the contract's payload, as far as this version knows it. Keys
 * beyond these are for the caller to refuse: valibot would name the first alone.
 */
export const JobPayload = v.object({
  image: Image,
  command: Command,
  envs: v.optional(Envs, {}),
  metadata: v.optional(Metadata, {}),
  pullPolicy: v.optional(
    v.picklist(["always", "missing", "never"], 'must be "always", "missing" or "never"'),
    "always",
  ),
  priority: v.optional(
    v.pipe(
      v.number("must be a whole number from -100 to 100"),
      v.integer("must be a whole number from -100 to 100"),
      v.minValue(-100, "must be a whole number from -100 to 100"),
      v.maxValue(100, "must be a whole number from -100 to 100"),
    ),
    0,
  ),
});
export type JobPayload = v.InferOutput<typeof JobPayload>;

/** What an execution needs to make its container; kept with it, so that a later change leaves it be. */
export interface ContainerRequest {
  /** As the client wrote it. */
  imageText: string;
  /** With its tag or digest. */
  image: string;
  /** As the client wrote it. */
  commandText: string;
  words: string[];
  envs: Record<string, string>;
  pullPolicy: JobPayload["pullPolicy"];
}

export function containerRequestOf(payload: JobPayload): ContainerRequest {
  const reference = parseImageReference(payload.image);
  return {
    imageText: payload.image,
    image: reference === null ? payload.image : formatImageReference(reference),
    commandText: payload.command.text,
    words: payload.command.words,
    envs: payload.envs,
    pullPolicy: payload.pullPolicy,
  };
}
