import { html } from "hono/html";
import type { Html } from "./page-code.ts";
import type { Schema } from "./schemas.ts";

type Part = Html | string;

interface Key {
  /** As `job.executions[].status`. */
  path: string;
  schema: Schema;
  required: boolean;
}

/** The keys of a schema with their meanings and limits, those inside others too. */
export function keysOf(schema: Schema): Html {
  const keys = flattened(schema, "");
  if (keys.length === 0) return html`<p class="type">${typeOf(schema)}</p>`;
  return html`<dl class="keys">${keys.map(keyOf)}</dl>`;
}

function keyOf({ path, schema, required }: Key): Html {
  return html`<div><dt><code>${path}</code> ${required ? html`<em>required</em> ` : ""}<span class="type">${typeOf(schema)}</span></dt>
<dd>${meaningOf(schema)}</dd></div>`;
}

/** The type and what limits it, in words. */
export function typeOf(schema: Schema): Html {
  const limits = limitsOf(schema).map((limit) => html`, ${limit}`);
  return html`${joined(typeWords(schema), " ")}${limits}`;
}

/** The same for a part of a type: one half, or the items of a list. */
function partOf(schema: Schema): Html {
  const limits = schema.description ?? limitsOf(schema).join(", ");
  return html`${joined(typeWords(schema), " ")}${limits === "" ? "" : ` (${limits})`}`;
}

export function meaningOf({ description = "", default: absent, examples = [] }: Schema): Html {
  const isTold =
    absent === undefined || JSON.stringify(absent) === "{}" || /absent/.test(description);
  const shown = examples.map((example) => html`<code>${JSON.stringify(example)}</code>`);
  const sentences = [
    ...(description === "" ? [] : [html`${sentence(description)}`]),
    ...(isTold ? [] : [html`<code>${JSON.stringify(absent)}</code> when absent.`]),
    ...(shown.length === 0 ? [] : [html`Such as ${joined(shown, " or ")}.`]),
  ];
  return html`${joined(sentences, " ")}`;
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function flattened(schema: Schema, prefix: string): Key[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, property]) => {
    if (typeof property === "boolean") return [];
    const path = prefix + name;
    const [inner, suffix] = innermost(property);
    return [
      { path, schema: property, required: required.includes(name) },
      ...flattened(inner, `${path}${suffix}.`),
    ];
  });
}

/** Where the keys of a property are: in its items, or in the half that is not `null`. */
function innermost(schema: Schema): [Schema, string] {
  if (isSchema(schema.items)) {
    const [inner, suffix] = innermost(schema.items);
    return [inner, `[]${suffix}`];
  }
  const half = schema.anyOf?.find((option) => isSchema(option) && option.properties !== undefined);
  return isSchema(half) ? innermost(half) : [schema, ""];
}

function typeWords(schema: Schema): Part[] {
  const { $ref, anyOf, enum: options, const: only, items, type, format } = schema;
  if ($ref !== undefined) return [linkTo($ref)];
  if (options !== undefined) {
    const words = options.map((option) => html`<code>${String(option)}</code>`);
    return [html`${joined(words, ", ")}`];
  }
  if (only !== undefined) return [html`<code>${JSON.stringify(only)}</code>`];
  if (isSchema(items)) return ["list of", partOf(items)];
  // Beside properties, anyOf says which of them must be there.
  const halves = (type === undefined ? (anyOf ?? []) : []).filter(isSchema);
  if (halves.length > 0) return [html`${joined(halves.map(partOf), " or ")}`];
  if (type === "object") return ["object", ...valuesOf(schema)];
  return [format === undefined ? String(type ?? "any value") : (FORMATS[format] ?? format)];
}

const FORMATS: Record<string, string> = { "date-time": "time", uri: "URL", uuid: "UUID" };

function valuesOf({ additionalProperties: values, properties }: Schema): Part[] {
  return properties === undefined && isSchema(values) ? ["of", partOf(values)] : [];
}

function limitsOf(schema: Schema): string[] {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, maxProperties } = schema;
  return [
    ...between(minimum, maximum, ""),
    ...between(minLength, maxLength, " characters"),
    ...between(minItems, maxItems, " items"),
    ...between(undefined, maxProperties, " keys"),
  ];
}

function between(least: number | undefined, most: number | undefined, unit: string): string[] {
  const said = (limit: number) => limit.toLocaleString("en");
  if (least !== undefined && most !== undefined) return [`${said(least)} to ${said(most)}${unit}`];
  if (most !== undefined) return [`at most ${said(most)}${unit}`];
  // That a count is not negative goes without saying.
  return least === undefined || least === 0 ? [] : [`at least ${said(least)}${unit}`];
}

export function linkTo(ref: string): Html {
  const name = ref.split("/").at(-1) ?? "";
  return html`<a href="#schema-${name}">${name}</a>`;
}

function joined(parts: readonly Part[], separator: string): Part[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part]));
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
