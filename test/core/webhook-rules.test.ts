import { expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { isWebhookSecret, isWebhookUrl } from "../../src/core/webhook-rules.ts";

test.each([
  ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true],
  ["whsec_c2VjcmV0", true],
  ["whsec_c2VjcmU=", true],
  ["whsec_c2VjcmU", true],
  ["whsec_", false],
  ["whsec_no base64", false],
  ["whsec_c2Vj-mV0", false],
])("a secret %p is taken where it can sign: %p", (secret, isTaken) => {
  const sign = () => new Webhook(secret).sign("id", new Date(0), "");

  expect(isWebhookSecret(secret)).toBe(isTaken);
  if (isTaken) expect(sign).not.toThrow();
  else expect(sign).toThrow();
});

test.each([
  ["any words", true],
  ["", false],
])("a secret %p without the prefix is taken as it is: %p", (secret, isTaken) => {
  expect(isWebhookSecret(secret)).toBe(isTaken);
});

test.each([
  ["https://hooks.example/x?y=1", true],
  ["HTTP://hooks.example", true],
  ["ftp://hooks.example", false],
  ["https://ada@hooks.example", false],
  ["https://:word@hooks.example", false],
  ["hooks.example", false],
  ["", false],
])("a webhook may have the URL %p: %p", (url, isAllowed) => {
  expect(isWebhookUrl(url)).toBe(isAllowed);
});
