import { Hono } from "hono";
import { countPrunable } from "../services/count-prunable.ts";
import { askForPrune, pruneState } from "../services/prune-chore.ts";
import { actBy } from "./act-by.ts";
import type { HttpDeps, HttpEnv } from "./context.ts";
import { operation } from "./params.ts";
import { pruneView } from "./prune-views.ts";
import { truthOf } from "./query.ts";

/** The removal of what need not be kept any more. */
export function pruneRoutes(deps: Pick<HttpDeps, "db" | "retention" | "trustedProxies">) {
  const { db, retention } = deps;
  return new Hono<HttpEnv>()
    .get("/prune", operation("getPrune"), async (c) => c.json(pruneView(await pruneState(db))))
    .post("/prune", operation("prune"), async (c) => {
      if (truthOf(c, "dryRun")) {
        const prunable = await countPrunable(db, retention);
        return c.json({ ...pruneView(await pruneState(db)), prunable });
      }
      return c.json(pruneView(await askForPrune(db, actBy(deps, c))));
    });
}
