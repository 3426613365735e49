import type { Config } from "../config/schema.ts";
import { messageOf } from "../core/errors.ts";
import { faultWords } from "../farm/fault-words.ts";
import { destinationOf, resolveBySystem } from "../notify/webhook-destination.ts";
import type { Check } from "./finding.ts";

const WITHIN_MS = 10_000;

/** Whether the configuration's webhooks have somewhere to go; nothing is sent there. */
export function webhookChecks({
  webhooks,
  webhooksAllowPrivate,
}: Pick<Config, "webhooks" | "webhooksAllowPrivate">): Check[] {
  // The rest of a URL is a secret of its receiver, with many services.
  const byHost = new Map(webhooks.map(({ url }) => [URL.parse(url)?.host ?? "", url]));
  return [...byHost].map(([host, url]) => ({
    subject: `webhook ${host}`,
    withinMs: WITHIN_MS,
    async run(tell) {
      try {
        const { addresses } = await destinationOf(url, webhooksAllowPrivate, resolveBySystem);
        tell.ok(`it goes to ${addresses.join(", ")}`);
      } catch (error) {
        tell.problem(
          `nothing can be sent there: ${faultWords(error) ?? messageOf(error)}`,
          "see its url, the DNS of this machine and webhooksAllowPrivate",
        );
      }
    },
  }));
}
