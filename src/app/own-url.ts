import type { Config } from "../config/schema.ts";

/** Where it can be reached on this machine, as far as nothing better is configured. */
export function ownUrl({ host, port }: Pick<Config, "host" | "port">): string {
  const isEverywhere = host === "0.0.0.0" || host === "::";
  return urlOf(isEverywhere ? "localhost" : host, port);
}

/** @param host A name or an address, which is put in brackets where it must be. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
