import * as v from "valibot";

const Coded = v.object({ code: v.string(), message: v.string() });

/** Why a connection failed, by the code of the error. */
const WORDS: Record<string, string> = {
  ENOTFOUND: "there is no machine of that name",
  EAI_AGAIN: "the name cannot be resolved at the moment",
  ECONNREFUSED: "nothing listens there, or it cannot be reached",
  ECONNRESET: "the connection was broken off",
  EPIPE: "the connection was broken off",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no way leads there",
  ENETUNREACH: "no way leads there",
  ENOENT: "there is no such socket",
  EACCES: "the socket may not be used by this user",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};
/** The certificate is not signed by an authority that counts. */
const UNTRUSTED = /^(DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CERT_SIGNATURE)_/;
/** What the server says when it does not take the client's certificate, or that there is none. */
const CLIENT_REFUSED = /ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;
const NO_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/;

/** Whether a connection failed since the other side's certificate could not be traced back. */
export function isUntrusted(error: unknown): boolean {
  const coded = v.safeParse(Coded, error);
  return coded.success && UNTRUSTED.test(coded.output.code);
}

/** @returns A sentence for a failed connection with the error's own words, or `null` for any other. */
export function faultWords(error: unknown): string | null {
  const coded = v.safeParse(Coded, error);
  if (!coded.success) return null;
  const { code, message } = coded.output;
  const words =
    WORDS[code] ??
    (UNTRUSTED.test(code) ? "its certificate is not signed by a trusted authority" : null) ??
    (CLIENT_REFUSED.test(code) ? "it refuses the client certificate, or wants one" : null) ??
    (NO_TLS.test(code) ? "it does not speak TLS" : null);
  return words === null ? null : `${words} (${message})`;
}
