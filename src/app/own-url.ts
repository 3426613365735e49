import type { Config } from "../config/schema.ts";

/** Where it can be reached on this machine, as far as nothing better is configured. */
export function ownUrl({ host, port }: Pick<Config, "host" | "port">): string {
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const name = isEverywhere ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
