import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import * as v from "valibot";
import { messageOf } from "../core/errors.ts";
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
      "A regular expression on the task id; the empty one fits all",
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
    retries: key("How often it is tried again", v.optional(wholeNumber(0, 100)), { example: 10 }),
    secretFile: key("A file with the secret that it is signed by", v.optional(text), {
      example: "/etc/fastlane/webhook-secret",
      secret: true,
      file: "start",
    }),
    secret: key(
      "The secret that it is signed by",
      v.optional(v.pipe(text, v.check(isWebhookSecret, SECRET_WRONG))),
      { example: "a long secret", secret: true, insteadOf: "secretFile" },
    ),
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
  smtpPasswordFile: key("A file with the password of its login", v.optional(text), {
    example: "/etc/fastlane/smtp-password",
    secret: true,
    file: "start",
  }),
  smtpPassword: key("The password of its login", v.optional(text), {
    example: "a long password",
    secret: true,
    insteadOf: "smtpPasswordFile",
  }),
  smtpFrom: key("Whom mails are from", v.optional(v.pipe(text, v.regex(ADDRESS, ADDRESS_WRONG))), {
    example: "fastlane <fastlane@example.com>",
    otherwise: "fastlane@ the mail server",
  }),
  smtpUseSsl: key("TLS from the first byte", v.optional(truth, false)),
  smtpCaFile: key(
    "PEM of the authorities that the mail server's certificate may be from",
    v.optional(text),
    { example: "/etc/fastlane/mail-ca.pem", otherwise: "the public ones", file: "start" },
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

/** @throws {Error} Where a file cannot be read, or no webhook can be signed by what is in it. */
export function webhooksOf({ webhooks }: Pick<Values, "webhooks">): ConfiguredWebhook[] {
  return webhooks.map(({ secretFile, method, headers, retries, secret, ...webhook }, index) => {
    const found = secretFile === undefined ? secret : fileText(secretFile);
    if (found !== undefined && !isWebhookSecret(found)) {
      throw new Error(`webhooks.${index}.secretFile: what is in it ${SECRET_WRONG}`);
    }
    return {
      ...webhook,
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers }),
      ...(retries === undefined ? {} : { retries }),
      ...(found === undefined ? {} : { secret: found }),
    };
  });
}

/** @returns `null` where no mail can go. @throws {Error} Where a file cannot be read. */
export function smtpOf(values: Omit<Values, "webhooks">): SmtpLogin | null {
  const { smtpHost: host, smtpUser: user, smtpUseSsl: useSsl, smtpPasswordFile } = values;
  if (host === undefined) return null;
  const password =
    smtpPasswordFile === undefined ? values.smtpPassword : fileText(smtpPasswordFile);
  return {
    host,
    port: values.smtpPort ?? (useSsl ? PORT_OF_TLS : PORT),
    from: values.smtpFrom ?? `fastlane@${isIP(host) === 0 ? host : "localhost"}`,
    useSsl,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(values.smtpCaFile === undefined ? {} : { ca: fileText(values.smtpCaFile) }),
  };
}

/** What is wrong with keys that are each right alone. */
export function faultsOfTelling(values: Record<string, unknown>): string[] {
  const wrong: string[] = [];
  const hasPassword = "smtpPassword" in values || "smtpPasswordFile" in values;
  if ("smtpPassword" in values && "smtpPasswordFile" in values) {
    wrong.push("smtpPassword and smtpPasswordFile must not be given together");
  }
  if ("smtpUser" in values !== hasPassword) {
    wrong.push("smtpUser must be given together with smtpPassword or smtpPasswordFile");
  }
  const others = ["smtpPort", "smtpUser", "smtpFrom", "smtpUseSsl", "smtpCaFile"].filter(
    (key) => key in values,
  );
  if (!("smtpHost" in values) && others.length > 0) {
    wrong.push(
      `smtpHost must be given: ${others.join(", ")} ${others.length === 1 ? "has" : "have"} no use without it`,
    );
  }
  return wrong;
}

function fileText(path: string): string {
  try {
    return readFileSync(path, "utf8").trimEnd();
  } catch (error) {
    throw new Error(`Cannot read the file "${path}": ${messageOf(error)}`);
  }
}
