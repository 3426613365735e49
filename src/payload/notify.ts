import * as v from "valibot";
import type { Event } from "../core/events.ts";
import {
  areHeaders,
  HEADERS_WRONG,
  isWebhookSecret,
  isWebhookUrl,
  SECRET_WRONG,
  WEBHOOK_METHODS,
  WEBHOOK_URL_WRONG,
} from "../core/webhook-rules.ts";
import { exactObject, listOf, oneOf, shortText, wholeNumber } from "./limits.ts";

const Email = v.pipe(
  shortText(254),
  // Nothing that ends a header or lists a second address.
  v.regex(/^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+$/, "must be an e-mail address"),
);

const HttpUrl = v.pipe(shortText(2_000), v.check(isWebhookUrl, WEBHOOK_URL_WRONG));

const Headers = v.custom<Record<string, string>>(areHeaders, HEADERS_WRONG);

const Webhook = exactObject({
  url: HttpUrl,
  method: v.optional(oneOf(...WEBHOOK_METHODS)),
  headers: v.optional(Headers),
  retries: v.optional(wholeNumber(0, 100)),
  secret: v.optional(v.pipe(shortText(500), v.check(isWebhookSecret, SECRET_WRONG))),
});
export type Webhook = v.InferOutput<typeof Webhook>;

const perEvent = <Item extends v.GenericSchema>(item: Item) =>
  exactObject({
    starts: v.optional(item),
    succeeds: v.optional(item),
    fails: v.optional(item),
    finishes: v.optional(item),
  });

const Notify = perEvent(listOf(Email, 50));
const Webhooks = perEvent(listOf(Webhook, 20));
export type Notify = v.InferOutput<typeof Notify>;
export type Webhooks = v.InferOutput<typeof Webhooks>;

/** The keys that say who is told of what. */
export const NOTIFY_KEYS = {
  notify: v.optional(
    v.pipe(
      Notify,
      v.description("e-mail addresses for each event"),
      v.examples([{ fails: ["ops@example.com"] }]),
    ),
    {},
  ),
  webhooks: v.optional(
    v.pipe(
      Webhooks,
      v.description("URLs that are called at each event"),
      v.examples([{ finishes: [{ url: "https://example.com/hook" }] }]),
    ),
    {},
  ),
};

/** What is told of an event, a list for each of them but `starts`, as the reference shows it. */
export function listsOf<Item>(of: { [Each in Event]?: Item[] | undefined }) {
  const { starts, succeeds = [], fails = [], finishes = [] } = of;
  return { ...(starts === undefined ? {} : { starts }), succeeds, fails, finishes };
}
