import { expect, test } from "bun:test";
import { failureOf } from "../../src/farm/pull-failure.ts";

/** As Docker 20.10 says them; those marked "29" are of an engine with containerd's store. */
test.each([
  ["pull_denied", 500, "unauthorized: authentication required"],
  ["pull_denied", 500, 'Head "http://r:5000/v2/a/manifests/1": no basic auth credentials'],
  ["pull_denied", 500, 'error parsing HTTP 403 response body: unexpected end of JSON input: ""'],
  ["pull_denied", 500, 'Head "https://ghcr.io/v2/a/manifests/1": denied'],
  [
    "pull_denied",
    404,
    "pull access denied for r/a, repository does not exist or may require 'docker login': denied: no",
  ],
  ["pull_denied", 500, "29: insufficient_scope: authorization failed"],
  ["pull_denied", 500, "29: unexpected status from HEAD request to https://r/v2/: 403 Forbidden"],
  ["image_not_found", 404, "manifest for r/a:1 not found: manifest unknown: manifest unknown"],
  ["image_not_found", 404, "manifest for r/denied/unauthorized:429 not found: manifest unknown"],
  ["image_not_found", 404, "repository r/a not found: name unknown: repository name not known"],
  ["image_not_found", 404, "something else"],
  ["image_not_found", 500, "error parsing HTTP 404 response body: invalid character 'n'"],
  ["registry_busy", 500, "toomanyrequests: You have reached your unauthenticated pull rate limit"],
  ["registry_busy", 500, 'error parsing HTTP 429 response body: no error details: "denied: slow"'],
  ["registry_busy", 500, "received unexpected HTTP status: 503 Service Unavailable"],
  [
    "registry_busy",
    500,
    "29: unexpected status from HEAD request to https://r/v2/: 502 Bad Gateway",
  ],
  ["registry_busy", 500, 'Get "http://r/v2/": dial tcp 10.0.0.1:80: connect: connection refused'],
  ["registry_busy", 500, "read tcp 10.0.0.2:4->10.0.0.1:80: read: connection reset by peer"],
  ["registry_busy", 500, 'Head "http://r/v2/a/manifests/1": EOF'],
  ["registry_busy", 500, 'Get "http://r/v2/": dial tcp 10.0.0.1:80: connect: no route to host'],
  ["registry_busy", 500, 'Get "http://r/v2/": dial tcp 10.0.0.1:80: i/o timeout'],
  ["registry_busy", 500, 'Get "https://r/v2/": net/http: TLS handshake timeout'],
  ["registry_busy", 500, "dial tcp: lookup r on 10.0.0.53:53: server misbehaving"],
  ["pull_failed", 500, "dial tcp: lookup r on 10.0.0.53:53: no such host"],
  ["pull_failed", 500, "dial udp 10.0.0.53:53: connect: network is unreachable"],
  ["pull_failed", 500, 'Get "https://r/v2/": x509: certificate signed by unknown authority'],
  ["pull_failed", 500, "http: server gave HTTP response to HTTPS client"],
] as const)("%s: %d %s", (failure, status, words) => {
  expect(failureOf(status, words)).toBe(failure);
});
