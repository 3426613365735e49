import { isDeepStrictEqual } from "node:util";
import { type Difference, poolChanges, registryChanges, webhookChanges } from "./part-changes.ts";
import type { Config } from "./schema.ts";

/** How one configuration differs from another, without any secret. */
export interface Changes {
  /** What a reload takes over, in words. */
  sentences: readonly string[];
  /** The same for programs. */
  fields: {
    /** By their `match`. */
    pools: Difference;
    /** Hosts that are reached in another way. */
    hostAccess: readonly string[];
    registries: Difference;
    /** By where they go to. */
    webhooks: Difference;
  };
  /** Keys that count from the next start on. */
  needRestart: readonly string[];
  /** What is to be told of the new configuration that was not of the old one. */
  notices: readonly string[];
}

/** What a reload takes over, with the files that it names. */
const TAKEN_OVER: readonly (keyof Config)[] = [
  "dockerHosts",
  "hostAccess",
  "registries",
  "dockerConfigFile",
  "webhooks",
  "notices",
];

export function changesOf(before: Config, after: Config): Changes {
  const pools = poolChanges(before.dockerHosts, after.dockerHosts);
  const registries = registryChanges(before.registries, after.registries);
  const webhooks = webhookChanges(before.webhooks, after.webhooks);
  const hostAccess = Object.keys(after.hostAccess).filter(
    (host) =>
      Object.hasOwn(before.hostAccess, host) &&
      !isDeepStrictEqual(before.hostAccess[host], after.hostAccess[host]),
  );
  return {
    sentences: [
      ...pools.sentences,
      ...hostAccess.map((host) => `host ${host} reached in another way`),
      ...registries.sentences,
      ...webhooks.sentences,
    ],
    fields: {
      pools: pools.difference,
      hostAccess,
      registries: registries.difference,
      webhooks: webhooks.difference,
    },
    needRestart: keysThatNeedRestart(before, after).sort(),
    notices: after.notices.filter((notice) => !before.notices.includes(notice)),
  };
}

function keysThatNeedRestart(before: Config, after: Config): string[] {
  const others = Object.keys({ ...before, ...after } satisfies Config) as (keyof Config)[];
  const changed = others.filter(
    (key) => !TAKEN_OVER.includes(key) && !isDeepStrictEqual(before[key], after[key]),
  );
  const named = changed.filter((key) => key !== "smtp");
  const isTold = named.some((key) => key.startsWith("smtp"));
  return changed.includes("smtp") && !isTold ? [...named, ...smtpFiles(before, after)] : named;
}

/** The login to the mail server is made of several keys: where these are as they were, of files. */
function smtpFiles({ smtp: before }: Config, { smtp: after }: Config): string[] {
  return [
    ...(before?.password === after?.password ? [] : ["smtpPasswordFile"]),
    ...(before?.ca === after?.ca ? [] : ["smtpCaFile"]),
  ];
}
