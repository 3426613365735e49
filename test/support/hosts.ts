import type * as v from "valibot";
import type { HostsAnswer } from "../../src/payload/host-answers.ts";
import { eventually } from "./client.ts";

export type HostJson = v.InferOutput<typeof HostsAnswer>["hosts"][number] & {
  reconciliation: Record<string, number>;
};

export async function getHosts(url: string): Promise<HostJson[]> {
  const response = await fetch(`${url}/hosts/`);
  if (!response.ok) throw new Error(`GET answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { hosts: HostJson[] }).hosts;
}

export async function getHost(url: string, name: string): Promise<HostJson> {
  const host = (await getHosts(url)).find((each) => each.name === name);
  if (host === undefined) throw new Error(`There is no host "${name}"`);
  return host;
}

/** Asks until a host is as it should be. */
export async function untilHost(
  url: string,
  name: string,
  isAsWanted: (host: HostJson) => boolean,
  withinMs = 60_000,
): Promise<HostJson> {
  let last: HostJson | undefined;
  return await eventually(
    async () => {
      last = await getHost(url, name);
      return isAsWanted(last) ? last : undefined;
    },
    () => `the host is not as wanted: ${Bun.inspect(last)}`,
    withinMs,
  );
}

/** Sends JSON; @returns the status and the answer. */
export async function sendJson(
  method: "POST" | "PUT" | "DELETE",
  url: string,
  body: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, { method, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

export interface WhyJson {
  summary: string;
  reasons: { code: string; message: string }[];
}

export async function getWhy(executionUrl: string): Promise<WhyJson> {
  return (await (await fetch(`${executionUrl}why/`)).json()) as WhyJson;
}
