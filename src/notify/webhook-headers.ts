import { Webhook } from "standardwebhooks";
import { isHeaderName, isHeaderValue } from "../core/webhook-rules.ts";
import { Refused } from "./webhook-fault-words.ts";

const SECRET_PREFIX = "whsec_";

/**
 * The headers of one attempt: the user's, and over them those that are fastlane's to set.
 *
 * @param secret `whsec_` and base64, as Standard Webhooks has it; of any other text the UTF-8 bytes are
 *   the key. `null` for a webhook without a signature.
 * @param body What is sent, `null` for nothing: the signature is over the empty text then.
 * @throws {Refused} If there is a header that a user must not set, or the secret can be no key.
 */
export function webhookHeaders(
  { id, headers, secret }: { id: string; headers: Record<string, string>; secret: string | null },
  body: string | null,
  { at, userAgent }: { at: Date; userAgent: string },
): Record<string, string> {
  const theirs = Object.entries(headers).map(([name, text]): [string, string] => {
    if (isHeaderName(name) && isHeaderValue(text)) return [name.toLowerCase(), text];
    throw new Refused(
      `A webhook must not set the header ${JSON.stringify(name)} to what it was given`,
    );
  });
  const ours: [string, string][] = [
    ["user-agent", userAgent],
    ["webhook-id", id],
    ["webhook-timestamp", `${Math.floor(at.getTime() / 1_000)}`],
  ];
  if (body !== null) ours.push(["content-type", "application/json"]);
  if (secret !== null) ours.push(["webhook-signature", keyOf(secret).sign(id, at, body ?? "")]);
  return Object.fromEntries([...theirs, ...ours]);
}

function keyOf(secret: string): Webhook {
  if (secret === "") throw new Refused("The secret of the webhook is empty");
  if (!secret.startsWith(SECRET_PREFIX)) {
    return new Webhook(new TextEncoder().encode(secret), { format: "raw" });
  }
  try {
    return new Webhook(secret);
  } catch {
    throw new Refused(
      `The secret of the webhook begins with ${SECRET_PREFIX}, and no base64 follows`,
    );
  }
}
