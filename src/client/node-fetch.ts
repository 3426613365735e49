import { Agent, type Dispatcher, fetch, ProxyAgent } from "undici";
import type { Way } from "./way.ts";

// An answer may be silent for long, as a log may be; who asks sets the limit.
const PATIENT = { headersTimeout: 0, bodyTimeout: 0 };

export async function fetchThrough(url: URL, init: RequestInit, way: Way): Promise<Response> {
  // Its classes are Node's own of a later version.
  const own = { ...init, dispatcher: dispatcherOf(way) } as unknown as Parameters<typeof fetch>[1];
  return (await fetch(url, own)) as unknown as Response;
}

const dispatchers = new Map<string, Dispatcher>();

/** One for each way, so that connections are used again. */
function dispatcherOf(way: Way): Dispatcher {
  const name = JSON.stringify(way);
  const known = dispatchers.get(name);
  if (known !== undefined) return known;
  const tls = way.ca === null ? {} : { ca: way.ca };
  const made =
    way.proxy === null
      ? new Agent({ ...PATIENT, connect: tls })
      : new ProxyAgent({ ...PATIENT, uri: way.proxy, requestTls: tls, proxyTls: tls });
  dispatchers.set(name, made);
  return made;
}
