import { once } from "node:events";
import http, {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import https from "node:https";
import { isIP, type LookupFunction } from "node:net";
import tls, { type SecureContext } from "node:tls";
import type { Destination } from "./webhook-destination.ts";

const KEPT_BYTES = 2_048;
/** So much of an answer is let in before the connection is broken off. */
const READ_BYTES = 65_536;
const HEADER_BYTES = 16_384;

export interface Outgoing {
  method: string;
  headers: Record<string, string>;
  body: string | null;
  /** PEM; these alone count. The system's and Mozilla's when absent. */
  authorities?: readonly string[] | undefined;
}

interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  /** Its first 2 KiB, or what came of them. */
  text: string;
}

/**
 * One HTTP request on a connection of its own, to an address that was judged, and to nowhere else: no
 * proxy, no redirect. Once there is a status, what becomes of the rest of the answer throws nothing.
 *
 * @throws What node:http throws if no status came; the signal's error if it was aborted before.
 */
export async function exchange(
  destination: Destination,
  outgoing: Outgoing,
  signal: AbortSignal,
): Promise<Answered> {
  const request = open(destination, outgoing, signal);
  // Once it is answered, what the connection dies of tells nothing.
  request.on("error", () => {});
  try {
    // As bytes: node:http joins a text with the headers and would write those in UTF-8 as well.
    request.end(outgoing.body === null ? undefined : Buffer.from(outgoing.body));
    const response = await responseOf(request);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text: await beginningOf(response),
    };
  } finally {
    request.destroy();
    // After a 101 the connection is no longer the request's.
    request.socket?.destroy();
  }
}

function open(
  { url, host, port, addresses }: Destination,
  { method, headers, authorities }: Outgoing,
  signal: AbortSignal,
): ClientRequest {
  const lookup: LookupFunction = (_name, options, done) => {
    const found = addresses.map((address) => ({ address, family: isIP(address) }));
    const [first] = found;
    if (options.all || first === undefined) done(null, found);
    else done(null, first.address, first.family);
  };
  const options = {
    method,
    host,
    port,
    path: url.pathname + url.search,
    headers: { ...headers, host: url.host },
    lookup,
    // Tries one address after the other.
    autoSelectFamily: true,
    // A connection of its own, which is closed behind the answer.
    agent: false,
    maxHeaderSize: HEADER_BYTES,
    signal,
  } satisfies https.RequestOptions & { autoSelectFamily: boolean };
  if (url.protocol === "http:") return http.request(options);
  const secure = {
    ...options,
    // An address has no place in SNI, nor has the dot at the end of a name.
    servername: isIP(host) === 0 ? host.replace(/\.$/, "") : "",
    secureContext: contextOf(authorities),
    // Else the environment could turn it off (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
  };
  return https.request(secure);
}

let trusted: SecureContext | null = null;

function contextOf(authorities: readonly string[] | undefined): SecureContext {
  if (authorities !== undefined)
    return tls.createSecureContext({ ca: [...authorities], minVersion: "TLSv1.2" });
  // Made once: reading some 400 certificates takes 10 ms.
  trusted ??= tls.createSecureContext({
    ca: [...tls.getCACertificates("default"), ...tls.getCACertificates("system")],
    minVersion: "TLSv1.2",
  });
  return trusted;
}

async function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const answered = new AbortController();
  const until = { signal: answered.signal };
  // "upgrade" is a 101; a close without either means that node:http told of no error.
  const first = Promise.race([
    once(request, "response", until),
    once(request, "upgrade", until),
    once(request, "close", until).then(() => Promise.reject(new Error("closed"))),
  ]);
  try {
    return (await first)[0];
  } finally {
    answered.abort();
  }
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  const kept: Uint8Array[] = [];
  let read = 0;
  try {
    for await (const chunk of response) {
      if (read < KEPT_BYTES) kept.push(chunk.subarray(0, KEPT_BYTES - read));
      read += chunk.length;
      if (read >= READ_BYTES) break;
    }
  } catch {
    // Broken off or too slow: what came is told, and the status stands.
  }
  // As a stream, a character that was cut in two at the end is left out; Postgres keeps no NUL.
  const text = new TextDecoder().decode(Buffer.concat(kept), { stream: true });
  return text.replaceAll("\0", "\ufffd");
}
