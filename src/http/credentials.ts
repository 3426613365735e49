import { type ReadToken, readToken, TOKEN_PREFIX } from "../core/token.ts";
import type { HttpContext } from "./context.ts";

/** What a request says of who asks. */
export type Credentials =
  | { kind: "none" }
  | { kind: "token"; token: ReadToken }
  /** Meant as a token, and none. */
  | { kind: "no_token" }
  | { kind: "password"; username: string; password: string };

/** The protocol of sockets. A script of a page can send nothing else than names of protocols. */
export const SOCKET_PROTOCOL = "fastlane";
const BEARER_PROTOCOL = "bearer.";

export function credentialsOf(c: HttpContext): Credentials {
  const ofSocket = protocolsOf(c).find((name) => name.startsWith(BEARER_PROTOCOL));
  if (ofSocket !== undefined) return tokenOrNone(ofSocket.slice(BEARER_PROTOCOL.length));
  const header = c.req.header("authorization") ?? "";
  const [, bearer] = /^bearer +(\S+)$/i.exec(header) ?? [];
  if (bearer !== undefined) return tokenOrNone(bearer);
  const [, encoded] = /^basic +([\w+/=-]+)$/i.exec(header) ?? [];
  if (encoded !== undefined) return pairOf(Buffer.from(encoded, "base64").toString("utf8"));
  return { kind: "none" };
}

/** What a client that wants a socket offers. */
export function protocolsOf(c: HttpContext): string[] {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return [];
  return (c.req.header("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
}

/** Any user name goes with a token: browsers and `curl -u` know nothing but pairs. */
function pairOf(text: string): Credentials {
  const end = text.indexOf(":");
  const [username, password] = end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)];
  const token = readToken(password);
  return token === null ? { kind: "password", username, password } : { kind: "token", token };
}

function tokenOrNone(text: string): Credentials {
  const token = readToken(text);
  return token === null ? { kind: "no_token" } : { kind: "token", token };
}

/** A password that looks like a token that was copied badly. */
export const isLikeToken = (password: string) => password.startsWith(TOKEN_PREFIX);
