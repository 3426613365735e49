import { afterAll, beforeAll, expect, test } from "bun:test";
import { hasRole, ROLES, type Role } from "../../src/core/actor.ts";
import { createHttpApp } from "../../src/http/app.ts";
import type { HttpDeps } from "../../src/http/context.ts";
import { type Api, startApi } from "../support/api.ts";

/** Every route, with the least role that it needs; `null` is open to all. */
const ROUTES: Record<string, Role | null> = {
  "GET /": "viewer",
  "GET /healthcheck": null,
  "GET /status": "viewer",
  "GET /metrics": "viewer",
  "GET /whoami": "viewer",
  "GET /openapi.json": "viewer",
  "GET /docs": "viewer",
  "GET /docs/style.css": "viewer",
  "GET /page/stream.js": "viewer",
  "GET /page/stream.css": "viewer",
  "GET /page/icon.svg": "viewer",
  "GET /hosts": "viewer",
  "GET /tasks": "viewer",
  "GET /search": "viewer",
  "GET /executions": "viewer",
  "GET /tail/ws": "viewer",
  "GET /tasks/:taskId": "viewer",
  "GET /tasks/:taskId/jobs/:jobId": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/logs": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/stdout": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/stderr": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/why": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/ticks": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/schedule": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/ws": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/stream": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/stream/executions/:executionId": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/executions/:executionId": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/executions/:executionId/logs": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/executions/:executionId/stdout": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/executions/:executionId/stderr": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/executions/:executionId/why": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/executions/:executionId/events": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/executions/:executionId/stream": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/executions/:executionId/ws": "viewer",
  "GET /tasks/:taskId/job/:jobId/executions/:executionId/ws": "viewer",
  "GET /tasks/:taskId/jobs/:jobId/executions/:executionId/deliveries": "viewer",

  "POST /tasks/:taskId": "submitter",
  "POST /tasks/:taskId/bulk": "submitter",
  "PUT /tasks/:taskId/jobs/:jobId": "submitter",
  "POST /tasks/:taskId/jobs/:jobId/stop": "submitter",
  "POST /tasks/:taskId/jobs/:jobId/retry": "submitter",
  "POST /tasks/:taskId/jobs/:jobId/executions/:executionId/stop": "submitter",
  "POST /tasks/:taskId/jobs/:jobId/executions/:executionId/deliveries/:deliveryId/redeliver":
    "submitter",

  "POST /executions/stop": "operator",
  "POST /executions/retry": "operator",
  "POST /docker-executor/blacklist": "operator",
  "PUT /docker-executor/blacklist": "operator",
  "DELETE /docker-executor/blacklist": "operator",
  "POST /hosts/drain": "operator",

  "GET /audit": "admin",
  "GET /prune": "admin",
  "POST /prune": "admin",
  "GET /export": "admin",
  "POST /import": "admin",
  "GET /tokens": "admin",
  "POST /tokens": "admin",
  "DELETE /tokens/:tokenName": "admin",
};

const { routes } = createHttpApp({ corsOrigins: [] } as unknown as HttpDeps);
const SERVED = [
  ...new Set(routes.flatMap(({ method, path }) => (method === "ALL" ? [] : [`${method} ${path}`]))),
].sort();

let api: Api;
const tokens = {} as Record<Role, string>;
/** For tasks none of which is asked for. */
let elsewhere: string;
beforeAll(async () => {
  api = await startApi({ requireAuthentication: true });
  for (const role of ROLES) tokens[role] = await api.token({ role });
  elsewhere = await api.token({ role: "submitter", taskMatch: "^elsewhere$" });
});
afterAll(() => api[Symbol.asyncDispose]());

/** Asks for a route with ids of which none is there, and a body that is none. */
async function statusOf(route: string, token: string | null): Promise<number> {
  const [method = "", path = ""] = route.split(" ");
  const url = path
    .replace(/:(jobId|executionId|deliveryId)/g, () => crypto.randomUUID())
    .replace(/:\w+/g, "nowhere");
  const answer = await api.ask(url, token, { method, redirect: "manual" });
  const text = await answer.text();
  if (answer.status === 403) expect(text).toMatch(/needs the role|only for tasks/);
  return answer.status;
}

test("every route has a row here, and every row a route", () => {
  expect(SERVED).toEqual(Object.keys(ROUTES).sort());
});

test.each(SERVED)(
  "%s is for those who have its role alone, and for the token's tasks",
  async (route) => {
    const least = ROUTES[route];
    const hasTask = route.includes(":taskId");
    const mayElsewhere = least == null || (hasRole("submitter", least) && !hasTask);

    const nobody = await statusOf(route, null);
    const byRole = await Promise.all(ROLES.map((role) => statusOf(route, tokens[role])));
    const ofElsewhere = await statusOf(route, elsewhere);

    const isLetIn = (status: number) => status !== 401 && status !== 403;
    expect(least === null ? isLetIn(nobody) : nobody === 401).toBe(true);
    expect(byRole.map((status) => (isLetIn(status) ? "in" : status))).toEqual(
      ROLES.map((role) => (least == null || hasRole(role, least) ? "in" : 403)),
    );
    expect(isLetIn(ofElsewhere) ? "in" : ofElsewhere).toBe(mayElsewhere ? "in" : 403);
  },
);
