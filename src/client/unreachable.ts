import { messageOf } from "../core/errors.ts";
import { ClientError } from "./client-error.ts";

const NO_TLS = "it does not speak TLS; is it http:// rather than https://?";
const WORDS: Record<string, string> = {
  ECONNREFUSED: "nothing listens there; is fastlane running?",
  ConnectionRefused: "nothing listens there; is fastlane running?",
  ENOTFOUND: "its name is not found",
  ECONNRESET: "the connection was broken off",
  ConnectionClosed: "the connection was broken off",
  UND_ERR_SOCKET: "the connection was broken off",
  ETIMEDOUT: "it does not answer",
  UND_ERR_CONNECT_TIMEOUT: "it does not answer",
  EHOSTUNREACH: "no network leads there",
  ENETUNREACH: "no network leads there",
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  CERT_HAS_EXPIRED: "its certificate has expired",
};
const UNTRUSTED =
  /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_|UNKNOWN_CERTIFICATE|CERTIFICATE_VERIFY/;

/**
 * Why no answer came, by the codes of Bun's fetch, or of what Node's gives as its cause.
 *
 * @param proxy What stood between, if anything.
 */
export function unreachable(server: string, proxy: string | null, error: unknown): ClientError {
  const code = codeOf(error) || codeOf(error instanceof Error ? error.cause : null);
  const isLate = error instanceof Error && error.name === "TimeoutError";
  const untrusted = "its certificate is not trusted; give who signed it with --ca-file";
  const known = isLate ? "it does not answer" : WORDS[code];
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = known ?? (UNTRUSTED.test(code) ? untrusted : messageOf(cause));
  const through = proxy === null ? "" : ` through the proxy ${withoutLogin(proxy)}`;
  const isLasting = UNTRUSTED.test(code) || /^(?:EPROTO|ERR_TLS|ERR_SSL)/.test(code);
  return new ClientError(`Cannot reach ${server}${through}: ${why}`, {
    isPassing: !isLasting,
    cause: error,
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function withoutLogin(proxy: string): string {
  const url = URL.parse(proxy);
  return url === null ? "of the environment" : `${url.protocol}//${url.host}`;
}
