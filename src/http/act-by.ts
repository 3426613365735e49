import type { ActBy } from "../core/audit.ts";
import type { HttpContext, HttpDeps } from "./context.ts";
import { provenIp } from "./urls.ts";

/** By whom a request has something done. */
export function actBy(deps: Pick<HttpDeps, "trustedProxies">, c: HttpContext): ActBy {
  const address = provenIp(deps, c);
  return {
    actor: c.get("actor"),
    address: address === "" ? null : address,
    requestId: c.get("requestId"),
  };
}
