import { Hono } from "hono";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import style from "./openapi/docs.css" with { type: "text" };
import { openApiDocument } from "./openapi/document.ts";
import { docsPage } from "./openapi/page.ts";
import { operation } from "./params.ts";
import { urlsOf } from "./urls.ts";

/** What the page may do: be styled by its own stylesheet, and nothing else. */
const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cache-control": "no-cache",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** The API as a document for programs, and as a page for people. */
export function docsRoutes(deps: HttpDeps) {
  const documentOf = (c: HttpContext) =>
    openApiDocument({
      version: deps.version,
      baseUrl: urlsOf(deps, c).path(""),
      asksForPassword: deps.requiresAuthentication,
    });
  return new Hono<HttpEnv>()
    .get("/openapi.json", operation("openapi"), (c) => c.json(documentOf(c)))
    .get("/docs", operation("docs"), (c) => {
      const document = documentOf(c);
      // Where a proxy adds a path, the stylesheet is behind it as well.
      const root = new URL(urlsOf(deps, c).path("")).pathname.replace(/\/$/, "");
      return c.html(docsPage(document, root), 200, PAGE_HEADERS);
    })
    .get("/docs/style.css", operation("docs"), (c) =>
      c.body(style, 200, {
        "content-type": "text/css; charset=utf-8",
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
      }),
    );
}
