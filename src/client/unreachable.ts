import { messageOf } from "../core/errors.ts";
import { ClientError } from "./client-error.ts";

const WORDS: Record<string, string> = {
  ECONNREFUSED: "nothing listens there; is fastlane running?",
  ConnectionRefused: "nothing listens there; is fastlane running?",
  ENOTFOUND: "its name is not found",
  ECONNRESET: "the connection was broken off",
  ConnectionClosed: "the connection was broken off",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "no network leads there",
  ENETUNREACH: "no network leads there",
  EPROTO: "it does not speak TLS; is it http:// rather than https://?",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  CERT_HAS_EXPIRED: "its certificate has expired",
};
const UNTRUSTED =
  /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_|UNKNOWN_CERTIFICATE|CERTIFICATE_VERIFY/;

/**
 * Why no answer came, by the codes of Bun's fetch.
 *
 * @param proxy What stood between, if anything.
 */
export function unreachable(server: string, proxy: string | null, error: unknown): ClientError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const isLate = error instanceof Error && error.name === "TimeoutError";
  const untrusted = "its certificate is not trusted; give who signed it with --ca-file";
  const known = isLate ? "it does not answer" : WORDS[code];
  const why = known ?? (UNTRUSTED.test(code) ? untrusted : messageOf(error));
  const through = proxy === null ? "" : ` through the proxy ${withoutLogin(proxy)}`;
  const isLasting = UNTRUSTED.test(code) || /^(?:EPROTO|ERR_TLS)/.test(code);
  return new ClientError(`Cannot reach ${server}${through}: ${why}`, {
    isPassing: !isLasting,
    cause: error,
  });
}

function withoutLogin(proxy: string): string {
  const url = URL.parse(proxy);
  return url === null ? "of the environment" : `${url.protocol}//${url.host}`;
}
