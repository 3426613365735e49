import type { Act } from "./acts.ts";
import * as containers from "./container-acts.ts";
import * as engines from "./engine-acts.ts";
import type { Request } from "./http.ts";

/** What a scripted engine can be asked for; faults and counts go by the names of the calls. */
const ROUTES = {
  ping: ["GET", /^\/_ping$/, engines.ping],
  version: ["GET", /^\/version$/, engines.version],
  info: ["GET", /^\/info$/, engines.info],
  events: ["GET", /^\/events$/, engines.events],
  pull: ["POST", /^\/images\/create$/, engines.pull],
  images: ["GET", /^\/images\/json$/, engines.images],
  image: ["GET", /^\/images\/(.+)\/json$/, engines.image],
  list: ["GET", /^\/containers\/json$/, containers.list],
  create: ["POST", /^\/containers\/create$/, containers.create],
  attach: ["POST", /^\/containers\/([^/]+)\/attach$/, containers.attach],
  start: ["POST", /^\/containers\/([^/]+)\/start$/, containers.start],
  stop: ["POST", /^\/containers\/([^/]+)\/stop$/, containers.stop],
  kill: ["POST", /^\/containers\/([^/]+)\/kill$/, containers.kill],
  wait: ["POST", /^\/containers\/([^/]+)\/wait$/, containers.wait],
  inspect: ["GET", /^\/containers\/([^/]+)\/json$/, containers.inspect],
  logs: ["GET", /^\/containers\/([^/]+)\/logs$/, containers.logs],
  remove: ["DELETE", /^\/containers\/([^/]+)$/, containers.remove],
} as const satisfies Record<string, readonly [method: string, path: RegExp, act: Act]>;

export type CallName = keyof typeof ROUTES;

/** @returns The call that a request is; `null` when an engine has none such. */
export function callOf(request: Request): { call: CallName; act: Act; name: string } | null {
  for (const [call, [method, path, act]] of Object.entries(ROUTES)) {
    const found = method === request.method ? path.exec(request.path) : null;
    if (found !== null) return { call: call as CallName, act, name: found[1] ?? "" };
  }
  return null;
}
