import { isIP } from "node:net";
import * as v from "valibot";
import { key } from "./key.ts";
import { text, truth, wholeNumber } from "./values.ts";

const httpUrl = v.pipe(
  text,
  v.check((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ""), "must be an http(s) URL"),
);
const network = v.pipe(
  text,
  v.check(isNetwork, "must be an IP address or a network such as 10.0.0.0/8"),
);
const corsOrigin = v.pipe(
  text,
  v.check(isOrigin, 'must be "*" or an origin such as https://console.example'),
);
const headerText = v.pipe(
  text,
  v.regex(/^[\x20-\x7e]+$/, "must be in one line of ASCII"),
  v.excludes('"', 'must not have "'),
);

/** All of the end takes 10 s at most. */
const LONGEST_STOP_DELAY_SECONDS = 5;

/** Where the API listens, and what it answers. */
export const HTTP_KEYS = {
  port: key(
    "Port of the HTTP API; 0 takes any that is free",
    v.optional(wholeNumber(0, 65_535), 10_000),
  ),
  host: key("Address to listen on", v.optional(text, "127.0.0.1")),
  reusePort: key(
    "Whether other fastlanes of the same user may listen on the same port; see operations.md",
    v.optional(truth, false),
  ),
  stopDelaySeconds: key(
    "Seconds that a node answers on after SIGTERM, so that clients and proxies turn to another; see operations.md",
    v.optional(wholeNumber(0, LONGEST_STOP_DELAY_SECONDS), 1),
  ),
  publicUrl: key("The URL under which clients reach fastlane", v.optional(httpUrl), {
    example: "https://fastlane.example",
    otherwise: "the URLs in answers are made from the request",
  }),
  trustedProxies: key(
    "Addresses or networks whose `X-Forwarded-*` and `X-Real-IP` headers count",
    v.optional(v.array(network, "must be a list of addresses"), []),
    { example: ["10.0.0.0/8"] },
  ),
  corsOrigins: key(
    "Origins whose web pages may ask; `*` is all",
    v.optional(v.array(corsOrigin, "must be a list of origins"), []),
    { example: ["https://console.example"] },
  ),
  paginationPerPage: key("Tasks on a page", v.optional(wholeNumber(1, 100), 10)),
};

/** Where metrics can be had besides the API. */
export const METRICS_KEYS = {
  metricsPort: key(
    "Port of a listener of its own for `/metrics`, which asks nobody who they are; 0 takes any that is free",
    v.optional(wholeNumber(0, 65_535)),
    { example: 9_464, otherwise: "they are at the HTTP API alone" },
  ),
  metricsHost: key(
    "Address to listen on for `metricsPort`; numbers alone can be had there, of pools and hosts by their names",
    v.optional(text, "127.0.0.1"),
  ),
};

/** Who may use the API. */
export const ACCESS_KEYS = {
  basicAuthUsername: key(
    "User name that is asked for on every route but `/healthcheck/`; with a password",
    v.optional(v.pipe(text, v.excludes(":", 'must not have ":"'))),
    { example: "ops" },
  ),
  basicAuthPassword: key("The password for it", v.optional(text), {
    example: "a long password",
    secret: true,
  }),
  basicAuthPasswordFile: key("A file with the password for it", v.optional(text), {
    example: "/etc/fastlane/basic-auth-password",
    secret: true,
    file: "start",
    insteadOf: "basicAuthPassword",
  }),
  basicAuthRealm: key(
    "What a browser shows when it asks for them",
    v.optional(headerText, "fastlane"),
  ),
  requireAuthentication: key(
    "Ask for a token on every route but `/healthcheck/`, also without a user name and password; see access.md",
    v.optional(truth, false),
  ),
  noAuth: key(
    "Listen on an address that other machines reach without asking who they are",
    v.optional(truth, false),
  ),
};

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return text === "*" || (url !== null && /^https?:$/.test(url.protocol) && url.origin === text);
}

function isNetwork(text: string): boolean {
  const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits ?? 0) <= (version === 6 ? 128 : 32);
}
