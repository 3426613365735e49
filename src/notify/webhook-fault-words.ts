import { messageOf } from "../core/errors.ts";

/** What fastlane itself does not do, and will not do at another try. The message is for people. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** What a sentence names of a destination; no addresses while its name has not been resolved. */
export interface Named {
  host: string;
  port: number;
  addresses: readonly string[];
}

/** Why a certificate does not count, by the code of the error. */
const CERTIFICATE: Record<string, string> = {
  CERT_HAS_EXPIRED: "it has expired",
  CERT_NOT_YET_VALID: "its time has not come yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for another name",
};
const UNTRUSTED = /^(DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CERT_)/;
const BROKEN_OFF = /^(ECONNRESET|ECONNABORTED|EPIPE|ERR_SOCKET_CLOSED|ERR_STREAM_PREMATURE_CLOSE)$/;
const NO_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/;

/** A sentence for a webhook that no answer came to. The path of its URL may be a secret and is left out. */
export function faultWords(error: unknown, { host, port, addresses }: Named): string {
  const code = codeOf(error);
  const where = addresses.map((address) => endpoint(address, port)).join(" or ");
  const certificate =
    CERTIFICATE[code] ?? (UNTRUSTED.test(code) ? "no trusted authority signed it" : undefined);
  if (certificate !== undefined) return `The certificate of ${host} is not valid: ${certificate}`;
  if (code === "ENOTFOUND" || code === "ENODATA") return `There is no machine of the name ${host}`;
  if (code === "EAI_AGAIN") return `The name ${host} cannot be resolved at the moment`;
  if (code === "ECONNREFUSED") return `Nobody listens at ${where}`;
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return `No way leads to ${where}`;
  if (code === "ETIMEDOUT") return `${where} does not answer`;
  if (BROKEN_OFF.test(code)) return "The receiver broke off the connection without an answer";
  if (code === "HPE_HEADER_OVERFLOW")
    return "The receiver answered with more than 16 KiB of headers";
  if (code.startsWith("HPE_")) return "The receiver answered with something that is no HTTP";
  if (NO_TLS.test(code)) return `The receiver does not speak TLS at ${where}`;
  return `The receiver could not be called: ${messageOf(error)}`;
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}
