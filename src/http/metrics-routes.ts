import { Hono } from "hono";
import type { HttpDeps, HttpEnv } from "./context.ts";
import { operation } from "./params.ts";

/** What Prometheus scrapes. */
export function metricsRoutes({ metrics }: Pick<HttpDeps, "metrics">) {
  return new Hono<HttpEnv>().get("/metrics", operation("metrics"), async (c) => {
    const { contentType, text } = await metrics.scrape();
    return c.body(text, 200, { "content-type": contentType, "cache-control": "no-store" });
  });
}
