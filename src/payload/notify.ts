import * as v from "valibot";
import { isHeaderName, isHeaderValue } from "../core/webhook-headers.ts";
import { exactObject, listOf, oneOf, shortText, wholeNumber } from "./limits.ts";
import { isObject, storableText } from "./text.ts";

const EVENTS = ["starts", "succeeds", "fails", "finishes"] as const;

const Email = v.pipe(
  shortText(254),
  // Nothing that ends a header or lists a second address.
  v.regex(/^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+$/, "must be an e-mail address"),
);

const HttpUrl = v.pipe(
  shortText(2_000),
  v.check(isHttpUrl, "must be an http(s) URL without user and password"),
);

const HEADERS_WRONG =
  "must be an object of strings, of 50 at most: names of headers without Host and those of the connection, values in one line";
const Headers = v.custom<Record<string, string>>(isHeaders, HEADERS_WRONG);

const Webhook = exactObject({
  url: HttpUrl,
  method: v.optional(oneOf("POST", "PUT", "PATCH", "GET", "DELETE")),
  headers: v.optional(Headers),
  retries: v.optional(wholeNumber(0, 100)),
  secret: v.optional(shortText(500)),
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
export function listsOf<Item>(of: { [Event in (typeof EVENTS)[number]]?: Item[] | undefined }) {
  const { starts, succeeds = [], fails = [], finishes = [] } = of;
  return { ...(starts === undefined ? {} : { starts }), succeeds, fails, finishes };
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === ""
  );
}

function isHeaders(value: unknown): value is Record<string, string> {
  if (!isObject(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= 50 &&
    entries.every(
      ([name, text]) =>
        isHeaderName(name) && v.is(storableText(4_000), text) && isHeaderValue(text),
    )
  );
}
