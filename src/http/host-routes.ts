import { Hono } from "hono";
import { AppError } from "../core/errors.ts";
import { hostAndPort } from "../core/host-name.ts";
import { hostsOf } from "../core/pool.ts";
import { parseBlacklistBody, parseDrainBody } from "../payload/host-requests.ts";
import { blacklistHost, liftBlacklist } from "../services/blacklist-host.ts";
import { receiptsOfHosts } from "../store/reconciliations.ts";
import { actBy } from "./act-by.ts";
import { bodyText } from "./body.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { hostViews, poolViews, receiptsView } from "./host-views.ts";
import { hostsNamed } from "./named-hosts.ts";
import { operation } from "./params.ts";
import { urlsOf } from "./urls.ts";

/** The hosts of the farm: how each is, and whether it is to be given anything. */
export function hostRoutes(deps: HttpDeps) {
  const { db, plan } = deps;
  const namesOf = (name: string) => ({ ...hostAndPort(name), name });
  const blacklist = async (c: HttpContext) => {
    const host = configuredHost(deps, parseBlacklistBody(await bodyText(c)).host);
    const asked = { host, action: "blacklist", deadline: undefined } as const;
    await blacklistHost(db, plan.pools, asked, actBy(deps, c));
    return c.json({ ...namesOf(host), blacklisted: true });
  };
  return new Hono<HttpEnv>()
    .get("/hosts", operation("hosts"), async (c) => {
      const receipts = await receiptsOfHosts(db, hostsOf(plan.pools), c.get("actor").taskMatch);
      const hosts = await hostViews(db, plan.pools);
      return c.json({
        hosts: hosts.map((host) => ({
          ...host,
          reconciliation: receiptsView(receipts.get(host.name)),
        })),
        pools: await poolViews(db, plan.pools),
      });
    })
    .post("/docker-executor/blacklist", operation("blacklistHost"), (c) => blacklist(c))
    .put("/docker-executor/blacklist", operation("putHostOnBlacklist"), (c) => blacklist(c))
    .delete("/docker-executor/blacklist", operation("liftBlacklist"), async (c) => {
      const host = configuredHost(deps, parseBlacklistBody(await bodyText(c)).host);
      deps.onEnqueued(await liftBlacklist(db, plan.pools, host, actBy(deps, c)));
      return c.json({ ...namesOf(host), blacklisted: false });
    })
    .post("/hosts/drain", operation("drainHost"), async (c) => {
      const asked = parseDrainBody(await bodyText(c));
      const host = configuredHost(deps, asked.host);
      const { deadline, waitsFor } = await blacklistHost(
        db,
        plan.pools,
        { host, action: "drain", deadline: asked.deadline },
        actBy(deps, c),
      );
      const urls = urlsOf(deps, c);
      return c.json({
        ...namesOf(host),
        blacklisted: true,
        deadline: deadline?.toISOString() ?? null,
        waitsFor: waitsFor.map((each) => ({
          ...each,
          url: urls.execution(each.taskId, each.jobId, each.id),
        })),
      });
    });
}

/** @throws {AppError} `host_unknown` unless the text names exactly one host of the configuration. */
function configuredHost({ plan }: HttpDeps, text: string): string {
  const [name, ...others] = hostsNamed(plan.pools, text);
  const known = hostsOf(plan.pools).join(", ");
  if (name === undefined) {
    throw new AppError("host_unknown", `No host "${text}" is configured: the hosts are ${known}`);
  }
  if (others.length > 0) {
    const which = [name, ...others].join(", ");
    throw new AppError("host_unknown", `"${text}" can be any of ${which}: write the one it is`);
  }
  return name;
}
