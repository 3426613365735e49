import type Docker from "dockerode";
import * as v from "valibot";
import { type Dial, dial } from "./dial.ts";
import { engineCall, orNotFound } from "./docker-call.ts";
import type { RegistryLogin } from "./host.ts";
import { authOf } from "./pull.ts";
import { EngineInfo, Service, SwarmNode, Task } from "./swarm-records.ts";

const CALL_MS = 15_000;
/** The manager writes a change to a majority of managers before it answers. */
const SLOW_CALL_MS = 60_000;
const REGISTRY_MS = 60_000;

const Created = v.object({ ID: v.string() });

/** The calls to a swarm's manager that fastlane makes. Each throws as those of `Host` do. */
export type SwarmApi = ReturnType<typeof swarmApi>;

/**
 * @param name What errors say the manager is.
 * @param outer Gives up every call.
 */
export function swarmApi(docker: Docker, name: string, outer?: AbortSignal) {
  const ask = (
    what: string,
    request: Omit<Dial, "abortSignal">,
    { ms = CALL_MS }: { ms?: number } = {},
  ) =>
    engineCall(
      `${name}: ${what}`,
      ms,
      (abortSignal) => dial(docker, { ...request, abortSignal }),
      outer,
    );
  const filters = (wanted: Record<string, readonly string[]>) => ({
    options: { filters: JSON.stringify(wanted) },
  });

  return {
    async info(ms?: number): Promise<EngineInfo> {
      return v.parse(EngineInfo, await ask("info", { path: "/info" }, ms ? { ms } : {}));
    },

    /** dockerode's `createService` sends the service's whole description as the registry login. */
    async create(spec: object, login: RegistryLogin | null): Promise<string> {
      const created = await ask(
        "create service",
        {
          path: "/services/create",
          method: "POST",
          options: { _body: spec },
          ...(login === null ? {} : { authconfig: authOf(login) }),
        },
        { ms: SLOW_CALL_MS },
      );
      return v.parse(Created, created).ID;
    },

    async service(idOrName: string): Promise<Service | null> {
      const found = await orNotFound(ask("inspect service", { path: `/services/${idOrName}` }));
      return found === null ? null : v.parse(Service, found);
    },

    async services(label: string): Promise<Service[]> {
      const found = await ask("list services", {
        path: "/services?",
        ...filters({ label: [label] }),
      });
      return v.parse(v.array(Service), found);
    },

    /** `null` when there is no such service. */
    async tasksOf(service: string): Promise<Task[] | null> {
      const found = await orNotFound(
        ask("list tasks", { path: "/tasks?", ...filters({ service: [service] }) }),
      );
      return found === null ? null : v.parse(v.array(Task), found);
    },

    /** @param label Of their services. */
    async tasks(label: string): Promise<Task[]> {
      const found = await ask("list tasks", { path: "/tasks?", ...filters({ label: [label] }) });
      return v.parse(v.array(Task), found);
    },

    async node(id: string): Promise<SwarmNode | null> {
      const found = await orNotFound(ask("inspect node", { path: `/nodes/${id}` }));
      return found === null ? null : v.parse(SwarmNode, found);
    },

    /** Refused by the manager (500) when the service has changed since it was inspected. */
    async update({ ID, Version }: Service, spec: Service["Spec"]): Promise<void> {
      await ask(
        "update service",
        {
          path: `/services/${ID}/update?`,
          method: "POST",
          options: { _query: { version: Version.Index }, _body: spec },
        },
        { ms: SLOW_CALL_MS },
      );
    },

    async remove(id: string): Promise<void> {
      await orNotFound(
        ask("remove service", { path: `/services/${id}`, method: "DELETE" }, { ms: SLOW_CALL_MS }),
      );
    },

    async network(networkName: string): Promise<unknown> {
      return await ask("inspect network", { path: `/networks/${encodeURIComponent(networkName)}` });
    },

    /** Asks the image's registry about it. */
    async distribution(image: string, login: RegistryLogin | null, signal: AbortSignal) {
      const path = `/distribution/${image}/json`;
      const auth = login === null ? {} : { authconfig: authOf(login) };
      await engineCall(
        `${name}: ask for "${image}"`,
        REGISTRY_MS,
        (abortSignal) => dial(docker, { path, ...auth, abortSignal }),
        signal,
      );
    },
  };
}
