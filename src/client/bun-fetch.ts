import type { Way } from "./way.ts";

export async function fetchThrough(url: URL, init: RequestInit, { proxy, ca }: Way) {
  return await fetch(url, {
    ...init,
    // Bun ends an answer that is silent for five minutes, as a log may be.
    timeout: false,
    ...(proxy === null ? {} : { proxy }),
    ...(ca === null ? {} : { tls: { ca } }),
  });
}
