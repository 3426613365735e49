import type { Enqueued } from "../support/client.ts";
import { jsonOf } from "./request.ts";

/** What a GET answers, of whatever shape. */
export async function getJson(url: string) {
  return await jsonOf(await fetch(url));
}

/** A job's own part of its details. */
export async function getJob({ jobUrl }: Enqueued) {
  return (await getJson(`${jobUrl}/`)).job;
}

/** POSTs to a URL of an answer, a slash between both or not. */
export async function postTo(url: string, verb: string, body?: unknown): Promise<Response> {
  const path = `${url.replace(/\/$/, "")}/${verb}/`;
  return await fetch(path, {
    method: "POST",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Every string of an answer whose key fits, at any depth. */
export function stringsAt(fits: RegExp, value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => stringsAt(fits, item));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === "string" && fits.test(key) ? [inner] : stringsAt(fits, inner),
  );
}
