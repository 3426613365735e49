import { Allow, Containers } from "./pool-policy.ts";
import { ConfigSchema, Pool, Registry, Retention } from "./schema.ts";
import { ServiceWebhook } from "./telling.ts";

const POLICY = { allow: Allow, containers: Containers };

/** What is said of each key that the schema does not have. */
export function unknownKeys(values: Record<string, unknown>): string[] {
  const pools = Array.isArray(values["dockerHosts"]) ? values["dockerHosts"] : [];
  return [
    ...beyond(values, Object.keys(ConfigSchema.entries), ""),
    ...pools.flatMap((pool: unknown, index) => [
      ...beyond(pool, Object.keys(Pool.entries), `dockerHosts.${index}.`),
      ...tablesOf(pool).flatMap(([key, table]) =>
        key === "allow" || key === "containers"
          ? beyond(table, Object.keys(POLICY[key].entries), `dockerHosts.${index}.${key}.`)
          : [],
      ),
    ]),
    ...beyond(values["retention"], Object.keys(Retention.entries), "retention."),
    ...tablesOf(values["webhooks"]).flatMap(([index, webhook]) =>
      beyond(webhook, Object.keys(ServiceWebhook.entries), `webhooks.${index}.`),
    ),
    ...tablesOf(values["registries"]).flatMap(([name, login]) =>
      beyond(login, Object.keys(Registry.entries), `registries.${name}.`),
    ),
  ];
}

function beyond(value: unknown, known: string[], prefix: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${prefix}${key} is no key; the keys are ${known.join(", ")}`);
}

/** The entries of a table that are tables themselves. */
export function tablesOf(value: unknown): [string, object][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).filter(
    (entry): entry is [string, object] => typeof entry[1] === "object" && entry[1] !== null,
  );
}
