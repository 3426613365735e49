import { Hono } from "hono";
import { parseImport } from "../payload/transfer.ts";
import { exportSettings, importSettings } from "../services/transfer.ts";
import { actBy } from "./act-by.ts";
import { bodyText } from "./body.ts";
import type { HttpDeps, HttpEnv } from "./context.ts";
import { operation } from "./params.ts";
import { truthOf } from "./query.ts";

/** What is set up in a fastlane, to be set up in another one. */
export function transferRoutes(deps: HttpDeps) {
  const { db, plan, envBlacklistedWords } = deps;
  return new Hono<HttpEnv>()
    .get("/export", operation("export"), async (c) => {
      const words = truthOf(c, "withoutSecrets") ? envBlacklistedWords : null;
      const settings = await exportSettings(db, plan.secrets.keyring, words, actBy(deps, c));
      return c.json(settings, 200, { "cache-control": "no-store" });
    })
    .post("/import", operation("import"), async (c) => {
      const dryRun = truthOf(c, "dryRun");
      const wish = parseImport(await bodyText(c));
      const { pools, ...answer } = await importSettings(db, plan, wish, {
        by: actBy(deps, c),
        dryRun,
      });
      if (!dryRun) deps.onEnqueued(pools);
      return c.json(answer);
    });
}
