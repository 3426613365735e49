import {
  type JsonSchema,
  type OverrideSchemaContext,
  toJsonSchemaDefs,
} from "@valibot/to-json-schema";
import * as v from "valibot";
import { AuditAnswer } from "../../payload/audit-answers.ts";
import { Delivery, DeliveryList } from "../../payload/delivery-answers.ts";
import {
  Execution,
  ExecutionAnswer,
  ExecutionList,
  ExecutionVerbAnswer,
  ManyAnswer,
  WhyAnswer,
} from "../../payload/execution-answers.ts";
import { FilterBody } from "../../payload/filter.ts";
import {
  BlacklistAnswer,
  DrainAnswer,
  HostStatus,
  HostsAnswer,
} from "../../payload/host-answers.ts";
import { BlacklistBody, DrainBody } from "../../payload/host-requests.ts";
import {
  BulkAnswer,
  EnqueuedAnswer,
  JobAnswer,
  JobVerbAnswer,
  ScheduleAnswer,
  TaskAnswer,
  TaskPage,
  Tick,
  TickPage,
} from "../../payload/job-answers.ts";
import { JobPayload } from "../../payload/job-payload.ts";
import { Moment } from "../../payload/moment.ts";
import { PruneAnswer } from "../../payload/prune-answers.ts";
import { ErrorAnswer, HealthAnswer, StatusAnswer } from "../../payload/service-answers.ts";
import {
  MadeTokenAnswer,
  TokenAnswer,
  TokenBody,
  TokensAnswer,
  WhoamiAnswer,
} from "../../payload/token.ts";
import { ExportAnswer, ImportAnswer, ImportBody } from "../../payload/transfer.ts";
import { REFINED_KEYS, REFINED_MOMENT } from "./refined-keys.ts";

/** JSON Schema 2020-12, of which the converter's own type is an older draft. */
export type Schema = JsonSchema & { dependentRequired?: Record<string, string[]> };

/** One webhook, wherever it stands; a component of its own, so that it is not told four times. */
const [{ entries: events }] = JobPayload.entries.webhooks.wrapped.pipe;
const Webhook = events.starts.wrapped.pipe[0].item;

const REQUESTS = {
  JobPayload,
  Webhook,
  BulkPayload: v.pipe(v.array(JobPayload), v.minLength(1), v.maxLength(1_000)),
  FilterBody,
  BlacklistBody,
  DrainBody,
  TokenBody,
  ImportBody,
};
const ANSWERS = {
  EnqueuedAnswer,
  BulkAnswer,
  TaskPage,
  TaskAnswer,
  JobAnswer,
  JobVerbAnswer,
  ExecutionAnswer,
  ExecutionVerbAnswer,
  ExecutionList,
  ManyAnswer,
  WhyAnswer,
  DeliveryList,
  Delivery,
  TickPage,
  ScheduleAnswer,
  HealthAnswer,
  StatusAnswer,
  HostsAnswer,
  BlacklistAnswer,
  DrainAnswer,
  HostStatus,
  AuditAnswer,
  MadeTokenAnswer,
  TokenAnswer,
  TokensAnswer,
  WhoamiAnswer,
  PruneAnswer,
  ExportAnswer,
  ImportAnswer,
  ErrorAnswer,
  Execution,
  Tick,
};
export type RequestName = keyof typeof REQUESTS;
export type AnswerName = keyof typeof ANSWERS;
export type SchemaName = RequestName | AnswerName;

/** The schemas that check requests and type answers, as the document has them. */
export function namedSchemas(): Record<SchemaName, Schema> {
  const shared = {
    target: "draft-2020-12",
    errorMode: "ignore",
    overrideRef: ({ referenceId }: { referenceId: string }) => refTo(referenceId),
  } as const;
  return {
    ...toJsonSchemaDefs(REQUESTS, { ...shared, typeMode: "input", overrideSchema: asSent }),
    ...toJsonSchemaDefs(ANSWERS, { ...shared, typeMode: "output", overrideSchema: described }),
  };
}

export const refTo = (name: string) => `#/components/schemas/${name}`;

/** What the checks of a payload say in code, and the converter therefore cannot see. */
function asSent(context: OverrideSchemaContext): JsonSchema | null {
  const { valibotSchema: schema } = context;
  if (schema === Moment.pipe[0]) return REFINED_MOMENT;
  const object = described(context);
  if (object?.properties === undefined) return null;
  const properties = Object.fromEntries(
    Object.entries(object.properties).map(([key, property]) => [key, refined(key, property)]),
  );
  if (schema === JobPayload) return { ...object, properties, ...ONLY_TOGETHER };
  if (schema === FilterBody) return { ...object, properties, anyOf: NARROWING };
  return { ...object, properties };
}

// Keys that are not known, and keys that come alone, are refused by the parser around the schema.
const ONLY_TOGETHER: Schema = {
  additionalProperties: false,
  dependentRequired: {
    concurrencyLimit: ["concurrencyKey"],
    timezone: ["cron"],
    overlap: ["cron"],
    catchUp: ["cron"],
  },
};
const NARROWING = ["task", "status", "host", "since", "until"].map((key) => ({ required: [key] }));

type Property = NonNullable<JsonSchema["properties"]>[string];

function refined(key: string, property: Property): Property {
  const more = REFINED_KEYS[key];
  if (more === undefined || typeof property === "boolean") return property;
  const [first, ...others] = property.anyOf ?? [];
  const isNullish = others.some((other) => typeof other === "object" && other.type === "null");
  if (!isNullish || typeof first !== "object") return { ...more, ...property };
  return { ...property, anyOf: [{ ...more, ...first }, ...others] };
}

/**
 * An object's keys with their descriptions: the converter loses those that come after a
 * transformation, and puts those of a key that may be `null` on one half of it.
 */
function described({ valibotSchema, jsonSchema }: OverrideSchemaContext): JsonSchema | null {
  const { entries } = valibotSchema as { entries?: Record<string, v.GenericSchema> };
  if (entries === undefined) return null;
  const properties = Object.entries(jsonSchema.properties ?? {}).map(([key, property]) => {
    const entry = entries[key];
    if (entry === undefined || typeof property === "boolean") return [key, property];
    const description = v.getDescription(unwrapped(entry));
    return [key, description === undefined ? property : withDescription(property, description)];
  });
  const { required, ...rest } = jsonSchema;
  return {
    ...rest,
    properties: Object.fromEntries(properties),
    ...(required === undefined || required.length === 0 ? {} : { required }),
  };
}

function withDescription(property: JsonSchema, description: string): JsonSchema {
  const halves = property.anyOf?.map((half) => {
    if (typeof half === "boolean" || half.description !== description) return half;
    const { description: _, ...rest } = half;
    return rest;
  });
  return { ...property, ...(halves === undefined ? {} : { anyOf: halves }), description };
}

/** What stands behind `optional` and `nullish`. */
function unwrapped(schema: v.GenericSchema): v.GenericSchema {
  const { wrapped } = schema as { wrapped?: v.GenericSchema };
  return wrapped === undefined ? schema : unwrapped(wrapped);
}
