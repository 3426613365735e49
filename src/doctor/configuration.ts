import type { Config } from "../config/schema.ts";
import { parseHostName } from "../core/host-name.ts";
import { isLoopback } from "../core/loopback.ts";
import { hostsOf } from "../core/pool.ts";
import { managerOf } from "../core/swarm-name.ts";
import type { Check, Tell } from "./finding.ts";
import { judgePolicy } from "./policy.ts";
import { poolsNeverReached } from "./pools.ts";

const WITHIN_MS = 5_000;
const SHORT_PASSWORD = 12;
const WAYS_TO_ASK = "requireAuthentication, or basicAuthUsername and basicAuthPassword";

/** Holds the configuration against good practice: what is allowed, and yet opens a door. */
export function configurationCheck(config: Config): Check {
  return {
    subject: "configuration",
    withinMs: WITHIN_MS,
    async run(tell) {
      let remarks = 0;
      const counting: Tell = {
        ok: tell.ok,
        warning: (...of) => tell.warning(...counted(of)),
        problem: (...of) => tell.problem(...counted(of)),
      };
      const counted = <T>(of: T) => {
        remarks += 1;
        return of;
      };
      judgeDoors(counting, config);
      judgeHosts(counting, config);
      judgePools(counting, config);
      judgeTelling(counting, config);
      for (const notice of config.notices) {
        counting.warning(
          notice,
          "do what it says, or see docs/configuration.md; a start of fastlane logs the same",
        );
      }
      if (remarks === 0) tell.ok("nothing in it is against good practice");
    },
  };
}

function judgeDoors(tell: Tell, config: Config): void {
  const { host, publicUrl, basicAuthUsername, basicAuthPassword, corsOrigins } = config;
  const isOpen = !isLoopback(host);
  const isPublished = publicUrl !== undefined && !isLocalUrl(publicUrl);
  const asksWhoAsks = config.requireAuthentication || basicAuthPassword !== undefined;
  const isPlain = publicUrl === undefined ? isOpen : isPublished && publicUrl.startsWith("http:");
  if (!asksWhoAsks && isOpen) {
    tell.problem(
      `host is "${host}", which other machines reach, and nobody is asked who they are: whoever ` +
        "reaches fastlane controls the Docker hosts",
      `listen on 127.0.0.1, or configure ${WAYS_TO_ASK}`,
    );
  } else if (!asksWhoAsks && isPublished) {
    tell.warning(
      "others reach it by publicUrl, and fastlane asks nobody who they are",
      `let the proxy in front ask, or configure ${WAYS_TO_ASK}`,
    );
  } else if (asksWhoAsks && isPlain) {
    tell.warning(
      "passwords and tokens go over the network in clear text: no TLS stands in front",
      "put a proxy with TLS in front, and its https address into publicUrl",
    );
  }
  if (basicAuthPassword !== undefined && basicAuthPassword.length < SHORT_PASSWORD) {
    tell.warning(
      `the password of "${basicAuthUsername}" has fewer than ${SHORT_PASSWORD} characters`,
      "take a long one from openssl rand -base64 24",
    );
  }
  if (corsOrigins.includes("*")) {
    tell.warning(
      'corsOrigins has "*": any web page that somebody opens may ask fastlane',
      "name the origins of those pages that are to ask",
    );
  }
}

function judgeHosts(tell: Tell, { dockerHosts }: Config): void {
  for (const name of hostsOf(dockerHosts)) {
    const endpoint = parseHostName(managerOf(name) ?? name);
    if (endpoint?.kind !== "tcp" || isLoopback(endpoint.name)) continue;
    tell.problem(
      `the host ${name} is reached in clear text: whoever reaches that port owns the machine`,
      "reach it by https:// with certificates or by ssh://, as docs/configuration.md says",
    );
  }
}

function judgePools(tell: Tell, { dockerHosts }: Config): void {
  for (const pool of dockerHosts) judgePolicy(tell, pool);
  for (const { match, behind } of poolsNeverReached(dockerHosts)) {
    tell.warning(
      `the pool "${match}" can never get a task: "${behind}" before it fits all that it fits`,
      "put it before that one, or take it out",
    );
  }
}

function judgeTelling(tell: Tell, { webhooks, webhooksAllowPrivate }: Config): void {
  if (webhooksAllowPrivate) {
    tell.warning(
      "webhooksAllowPrivate lets whoever enqueues a job have fastlane call any address of your network",
      "turn it off unless receivers stand in that network",
    );
  }
  const plain = webhooks.filter(({ url }) => url.startsWith("http:") && !isLocalUrl(url));
  for (const host of new Set(plain.map(({ url }) => URL.parse(url)?.host))) {
    tell.warning(`the webhook to ${host} goes in clear text`, "give it an https URL");
  }
}

function isLocalUrl(text: string): boolean {
  return isLoopback(URL.parse(text)?.hostname ?? "");
}
