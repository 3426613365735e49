import { isDeepStrictEqual } from "node:util";
import type { PoolRule } from "../core/pool.ts";
import { managerOf } from "../core/swarm-name.ts";
import type { RegistryLogin } from "./registries.ts";
import type { ConfiguredWebhook } from "./telling.ts";

/** By name. */
export interface Difference {
  added: readonly string[];
  removed: readonly string[];
  changed: readonly string[];
}

/** What has become of one part of the configuration. */
export interface PartChanges {
  difference: Difference;
  sentences: readonly string[];
}

export function poolChanges(before: readonly PoolRule[], after: readonly PoolRule[]): PartChanges {
  const named = (pools: readonly PoolRule[]) => new Map(pools.map((pool) => [pool.match, pool]));
  const { removed, added, changed, isReordered } = compared(named(before), named(after));
  return {
    difference: namesOf({ added, removed, changed }),
    sentences: [
      ...removed.map(([match]) => `pool "${match}" removed`),
      ...added.map(([match, { hosts, maxRunning }]) => {
        return `pool "${match}" added with ${hosts.map(hostWords).join(", ")}, maxRunning ${maxRunning}`;
      }),
      ...changed.map(([match, was, is]) => `pool "${match}": ${ruleChanges(was, is).join(", ")}`),
      ...(isReordered ? ["pools in another order"] : []),
    ],
  };
}

function ruleChanges(
  { match: _, hosts: hostsBefore, maxRunning: roomBefore, ...before }: PoolRule,
  { match: __, hosts, maxRunning, ...after }: PoolRule,
): string[] {
  const gone = hostsBefore.filter((host) => !hosts.includes(host));
  const come = hosts.filter((host) => !hostsBefore.includes(host));
  const others = compared(new Map(Object.entries(before)), new Map(Object.entries(after)));
  const { added, removed, changed } = namesOf(others);
  const said = [
    ...gone.map((host) => `${hostWords(host)} removed`),
    ...come.map((host) => `${hostWords(host)} added`),
    ...(maxRunning === roomBefore ? [] : [`maxRunning ${roomBefore} -> ${maxRunning}`]),
    ...[...added, ...removed, ...changed].map((key) => `${key} changed`),
  ];
  return said.length > 0 ? said : ["hosts in another order"];
}

function hostWords(name: string): string {
  const manager = managerOf(name);
  return manager === null ? `host ${name}` : `swarm ${manager}`;
}

export function registryChanges(
  before: Readonly<Record<string, RegistryLogin>>,
  after: Readonly<Record<string, RegistryLogin>>,
): PartChanges {
  const named = (logins: Readonly<Record<string, RegistryLogin>>) =>
    new Map(Object.entries(logins).map(([name, login]) => [withoutLogin(name), login]));
  const { removed, added, changed, isReordered } = compared(named(before), named(after));
  return {
    difference: namesOf({ added, removed, changed }),
    sentences: [
      ...removed.map(([name]) => `registry ${name} removed`),
      ...added.map(([name]) => `registry ${name} added`),
      ...changed.map(([name, was, is]) =>
        was.registry === is.registry
          ? `registry ${name}'s login changed`
          : `registry ${name} is now ${withoutLogin(is.registry)}`,
      ),
      ...(isReordered ? ["registries in another order"] : []),
    ],
  };
}

/** Nobody's login belongs into a name, but it may be there. */
const withoutLogin = (name: string) => name.replace(/^(\w+:\/\/)?.*@/, "$1").replace(/\?.*/, "");

export function webhookChanges(
  before: readonly ConfiguredWebhook[],
  after: readonly ConfiguredWebhook[],
): PartChanges {
  const { removed, added, changed } = compared(keyed(before), keyed(after));
  const receivers = (entries: readonly (readonly [string, ConfiguredWebhook, ...unknown[]])[]) =>
    entries.map(([, { url }]) => receiverOf(url));
  const difference = {
    added: receivers(added),
    removed: receivers(removed),
    changed: receivers(changed),
  };
  const sentence = (what: keyof Difference) => {
    const [first, ...others] = difference[what];
    if (first === undefined) return [];
    const which = others.length === 0 ? `webhook to ${first}` : `${others.length + 1} webhooks`;
    return [`${which} ${what}`];
  };
  return {
    difference,
    sentences: [...sentence("removed"), ...sentence("added"), ...sentence("changed")],
  };
}

/** They have no names: two with the same match and URL are told apart by their places. */
function keyed(webhooks: readonly ConfiguredWebhook[]): Map<string, ConfiguredWebhook> {
  const seen = new Map<string, number>();
  return new Map(
    webhooks.map((webhook) => {
      const key = JSON.stringify([webhook.match, webhook.url]);
      const place = seen.get(key) ?? 0;
      seen.set(key, place + 1);
      return [`${key} ${place}`, webhook];
    }),
  );
}

/** Its host alone: a path or a query can be as good as a password. */
const receiverOf = (url: string) => URL.parse(url)?.host ?? "nowhere";

interface Compared<T> {
  added: (readonly [string, T])[];
  removed: (readonly [string, T])[];
  /** As they were, and as they are. */
  changed: (readonly [string, T, T])[];
  /** Those that are in both are in another order: the first that fits is the one that counts. */
  isReordered: boolean;
}

function compared<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): Compared<T> {
  const both = (of: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>) =>
    [...of.keys()].filter((name) => other.has(name));
  return {
    added: [...after].filter(([name]) => !before.has(name)),
    removed: [...before].filter(([name]) => !after.has(name)),
    changed: [...after].flatMap(([name, is]) => {
      const was = before.get(name);
      return was === undefined || isDeepStrictEqual(was, is) ? [] : [[name, was, is] as const];
    }),
    isReordered: !isDeepStrictEqual(both(before, after), both(after, before)),
  };
}

function namesOf({ added, removed, changed }: Omit<Compared<unknown>, "isReordered">): Difference {
  const names = (entries: readonly (readonly [string, ...unknown[]])[]) =>
    entries.map(([name]) => name);
  return { added: names(added), removed: names(removed), changed: names(changed) };
}
