import type { Keyring } from "../core/keyring.ts";
import { originOf } from "../core/webhook-rules.ts";
import type { Secrets } from "../payload/sealed.ts";
import type { ServiceWebhook } from "../store/deliveries.ts";

/*
 * Webhooks of the configuration: their URLs, secrets and headers stay there. A row only names one,
 * and whoever sends it finds the rest in its own configuration.
 */

/** What is written of them; all of it as long as a node is alive that knows no names. */
export function writtenWebhooks(
  webhooks: readonly ServiceWebhook[],
  { sealer }: Secrets,
): readonly ServiceWebhook[] {
  const keyring = sealer();
  if (keyring === null) return webhooks;
  return webhooks.map(({ match, events, url, retries }, index) => ({
    match,
    events,
    url: originOf(url),
    ...(retries === undefined ? {} : { retries }),
    webhook: nameOf(keyring.digest(identityOf(webhooks, index))),
  }));
}

/** Each under its names, one by each key: a row may have been written by an earlier one. */
export function namedWebhooks(
  webhooks: readonly ServiceWebhook[],
  keyring: Keyring,
): ReadonlyMap<string, ServiceWebhook> {
  return new Map(
    webhooks.flatMap((webhook, index) =>
      keyring
        .digests(identityOf(webhooks, index))
        .map((digest) => [nameOf(digest), webhook] as const),
    ),
  );
}

/** Its URL, and the how manieth it is of those with that one: its secret may change meanwhile. */
function identityOf(webhooks: readonly ServiceWebhook[], index: number): string {
  const url = webhooks[index]?.url ?? "";
  const nth = webhooks.slice(0, index).filter((other) => other.url === url).length;
  return `webhook ${nth} ${url}`;
}

const nameOf = (digest: Buffer) => digest.subarray(0, 16).toString("base64url");
