import { isIP } from "node:net";
import * as v from "valibot";
import { EVENTS, type Event } from "../core/events.ts";
import type { SmtpLogin } from "../core/smtp-login.ts";
import {
  areHeaders,
  HEADERS_WRONG,
  isWebhookSecret,
  isWebhookUrl,
  SECRET_WRONG,
  WEBHOOK_METHODS,
  WEBHOOK_URL_WRONG,
} from "../core/webhook-rules.ts";
import { key } from "./key.ts";
import { factor, text, truth, wholeNumber } from "./values.ts";

const EVENTS_WRONG = `must be a list of ${EVENTS.join(", ")}`;
const METHOD_WRONG = `must be one of ${WEBHOOK_METHODS.join(", ")}`;
/** Alone, or behind a name: `fastlane <fastlane@example.com>`. */
const ADDRESS = /^(?:[^<>@\r\n]*<[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)$/;
const ADDRESS_WRONG = "must be an e-mail address, such as fastlane@example.com";

const PORT = 25;
const PORT_OF_TLS = 465;

/** A webhook for all tasks, or those that match. */
const ServiceWebhook = v.object(
  {
    match: key(
      "A regular expression on the ids of the tasks that it is for; the empty one fits all",
      v.optional(v.string("must be a text"), ""),
    ),
    events: key(
      "What is told",
      v.optional(
        v.pipe(
          v.array(v.picklist(EVENTS, EVENTS_WRONG), EVENTS_WRONG),
          v.minLength(1, EVENTS_WRONG),
        ),
        ["finishes"],
      ),
    ),
    url: key("Where it is sent", v.pipe(text, v.check(isWebhookUrl, WEBHOOK_URL_WRONG)), {
      example: "https://hooks.example/fastlane",
      secret: true,
    }),
    method: key("The method", v.optional(v.picklist(WEBHOOK_METHODS, METHOD_WRONG)), {
      example: "POST",
      otherwise: "POST",
    }),
    headers: key(
      "Headers beside those that fastlane sets",
      v.optional(v.custom<Record<string, string>>(areHeaders, HEADERS_WRONG)),
      { example: { "X-Team": "ops" }, secret: true },
    ),
    retries: key("How often it is tried again", v.optional(wholeNumber(0, 100)), {
      example: 10,
      otherwise: "20",
    }),
    secret: key(
      "The secret that it is signed by",
      v.optional(v.pipe(text, v.check(isWebhookSecret, SECRET_WRONG))),
      { example: "a long secret", secret: true },
    ),
    secretFile: key("A file with the secret that it is signed by", v.optional(text), {
      example: "/etc/fastlane/webhook-secret",
      secret: true,
      file: "start",
      insteadOf: "secret",
    }),
  },
  "must be a table with a url",
);
const TWO_SECRETS = "must have a secret or a secretFile, not both";

/** The keys that say how the world is told. */
export const TELLING_KEYS = {
  webhooksAllowPrivate: key(
    "Whether webhooks may go to loopback and private addresses",
    v.optional(truth, false),
  ),
  webhooksExponentialBackoffMinMs: key(
    "Milliseconds before a webhook or mail is tried again for the first time",
    v.optional(wholeNumber(1, 3_600_000), 5_000),
  ),
  webhooksExponentialBackoffFactor: key(
    "By how much that wait grows from one try to the next",
    v.optional(factor, 2),
  ),
  smtpHost: key("The mail server; without it no mail goes", v.optional(text), {
    example: "mail.example",
  }),
  smtpPort: key("Its port", v.optional(wholeNumber(1, 65_535)), {
    example: PORT,
    otherwise: `${PORT}, with smtpUseSsl ${PORT_OF_TLS}`,
  }),
  smtpUser: key("The user name of its login, with a password", v.optional(text), {
    example: "fastlane",
  }),
  smtpPassword: key("The password of its login", v.optional(text), {
    example: "a long password",
    secret: true,
  }),
  smtpPasswordFile: key("A file with the password of its login", v.optional(text), {
    example: "/etc/fastlane/smtp-password",
    secret: true,
    file: "start",
    insteadOf: "smtpPassword",
  }),
  smtpFrom: key("Whom mails are from", v.optional(v.pipe(text, v.regex(ADDRESS, ADDRESS_WRONG))), {
    example: "fastlane <fastlane@example.com>",
    otherwise: "fastlane@ the mail server",
  }),
  smtpUseSsl: key("TLS from the first byte", v.optional(truth, false)),
  smtpCaFile: key(
    "PEM of the authorities that the mail server's certificate may be from",
    v.optional(text),
    { example: "/etc/ssl/certs/ca-certificates.crt", otherwise: "the public ones", file: "start" },
  ),
  webhooks: key(
    "Webhooks for all tasks or those that match",
    v.optional(
      v.array(
        v.pipe(
          ServiceWebhook,
          v.check((of) => of.secret === undefined || of.secretFile === undefined, TWO_SECRETS),
        ),
        "must be a list of webhooks",
      ),
      [],
    ),
  ),
};

/** A webhook of the configuration, with its secret. */
export interface ConfiguredWebhook {
  match: string;
  events: Event[];
  url: string;
  method?: (typeof WEBHOOK_METHODS)[number];
  headers?: Record<string, string>;
  retries?: number;
  secret?: string;
}

type Values = v.InferOutput<v.ObjectSchema<typeof TELLING_KEYS, undefined>>;

/** @param read Gives what is in a file. */
export function webhooksOf(
  { webhooks }: Pick<Values, "webhooks">,
  read: (path: string) => string,
): ConfiguredWebhook[] {
  return webhooks.map(({ secretFile, method, headers, retries, secret, ...webhook }) => {
    const found = secretFile === undefined ? secret : read(secretFile);
    return {
      ...webhook,
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers }),
      ...(retries === undefined ? {} : { retries }),
      ...(found === undefined ? {} : { secret: found }),
    };
  });
}

/** @returns `null` where no mail can go. @param read Gives what is in a file. */
export function smtpOf(
  values: Omit<Values, "webhooks">,
  read: (path: string) => string,
): SmtpLogin | null {
  const { smtpHost: host, smtpUser: user, smtpUseSsl: useSsl, smtpPasswordFile } = values;
  if (host === undefined) return null;
  const password = smtpPasswordFile === undefined ? values.smtpPassword : read(smtpPasswordFile);
  return {
    host,
    port: values.smtpPort ?? (useSsl ? PORT_OF_TLS : PORT),
    from: values.smtpFrom ?? `fastlane@${isIP(host) === 0 ? host : "localhost"}`,
    useSsl,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(values.smtpCaFile === undefined ? {} : { ca: read(values.smtpCaFile) }),
  };
}
