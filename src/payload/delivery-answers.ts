import * as v from "valibot";
import { EVENTS } from "../core/events.ts";
import { Count, Time, Url, Uuid } from "./answer-parts.ts";

const Attempt = v.strictObject({
  try: Count,
  at: Time,
  durationMs: Count,
  ok: v.boolean(),
  code: v.pipe(v.nullable(Count), v.description("of HTTP or SMTP, where there was an answer")),
  answer: v.pipe(v.string(), v.description("its first 2 KiB")),
  error: v.nullable(v.string()),
});

export const Delivery = v.strictObject({
  id: v.pipe(Uuid, v.description("what a webhook has as its webhook-id, the same at every try")),
  event: v.picklist(EVENTS),
  kind: v.picklist(["webhook", "mail"]),
  source: v.pipe(
    v.picklist(["job", "service"]),
    v.description("whether the job's payload or the configuration asks for it"),
  ),
  target: v.pipe(
    v.string(),
    v.description("a URL, of the service's own webhooks without its path, or an address"),
  ),
  status: v.picklist(["waiting", "delivered", "dead"]),
  maxTries: Count,
  dueAt: v.pipe(v.nullable(Time), v.description("when it is tried next, where it is")),
  createdAt: Time,
  attempts: v.array(Attempt),
  redeliverUrl: Url,
});
export type Delivery = v.InferOutput<typeof Delivery>;

export const DeliveryList = v.strictObject({ items: v.array(Delivery) });
