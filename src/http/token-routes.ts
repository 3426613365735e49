import { Hono } from "hono";
import { parseJsonBody } from "../payload/parse.ts";
import { createToken, revokeToken, tokenViews } from "../services/tokens.ts";
import { actBy } from "./act-by.ts";
import { bodyText } from "./body.ts";
import type { HttpDeps, HttpEnv } from "./context.ts";
import { operation } from "./params.ts";
import { truthOf } from "./query.ts";

/** Who asks, and the tokens by which others may. */
export function tokenRoutes(deps: Pick<HttpDeps, "db" | "trustedProxies">) {
  const { db } = deps;
  return new Hono<HttpEnv>()
    .get("/whoami", operation("whoami"), (c) => {
      const { kind, name, role, taskMatch } = c.get("actor");
      const expiresAt = c.get("session").expiresAt?.toISOString() ?? null;
      return c.json({ kind, name, role, taskMatch, expiresAt });
    })
    .get("/tokens", operation("listTokens"), async (c) => {
      return c.json({ items: await tokenViews(db, truthOf(c, "all") ? "all" : "live") });
    })
    .post("/tokens", operation("createToken"), async (c) => {
      const made = await createToken(db, parseJsonBody(await bodyText(c)), actBy(deps, c));
      return c.json(made, 201, { "cache-control": "no-store" });
    })
    .delete("/tokens/:tokenName", operation("revokeToken"), async (c) => {
      return c.json(await revokeToken(db, c.req.param("tokenName"), actBy(deps, c)));
    });
}
