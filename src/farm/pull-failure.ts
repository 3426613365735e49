import type { PullFailure } from "./host.ts";

/**
 * What the words about a pull mean, the first that fit. The engine answers 404 for an image that is
 * not there and 500 for all else that a registry said or did: only the words tell. They are matched
 * with what no image's name can have in it, since they quote that.
 *
 * What may be over in a moment is `registry_busy`. What stays as it is until somebody sees to it is
 * `pull_failed`, which needs no words: a name that nobody knows, a certificate that is not trusted,
 * a host that has no network to the registry at all.
 */
const MEANINGS: readonly [RegExp, PullFailure][] = [
  [
    /toomanyrequests: |too many requests|HTTP (?:429|5\d\d) |status(?: code)?: (?:429|5\d\d)/i,
    "registry_busy",
  ],
  [
    /\b5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)/i,
    "registry_busy",
  ],
  [/\b(?:denied|unauthorized)(?:: |$)|access denied|HTTP 40[13] |403 Forbidden/i, "pull_denied"],
  [/authentication required|authorization failed|no basic auth/i, "pull_denied"],
  [/manifest unknown|name unknown| not found|HTTP 404 /i, "image_not_found"],
  [
    /connection re(?:fused|set)|no route to host|broken pipe|: (?:unexpected )?EOF/,
    "registry_busy",
  ],
  [
    /i\/o timeout|handshake timeout|deadline exceeded|Client\.Timeout|request canceled/,
    "registry_busy",
  ],
  // A name server's trouble, where "no such host" would be its answer.
  [/server misbehaving|Temporary failure in name resolution/i, "registry_busy"],
];

export function failureOf(statusCode: number, message: string): PullFailure {
  const [, failure] = MEANINGS.find(([words]) => words.test(message)) ?? [];
  return failure ?? (statusCode === 404 ? "image_not_found" : "pull_failed");
}
