import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import type { HostAccess } from "../core/host-access.ts";
import { parseImageReference } from "../core/image-reference.ts";
import { managerOf } from "../core/swarm-name.ts";
import { type Connection, connectEngine } from "./connect.ts";
import {
  type ContainerEvent,
  EngineRefusal,
  type Host,
  HostUnreachable,
  PullAborted,
  PullFailed,
} from "./host.ts";
import { executionIdOf, INSTALLATION_LABEL } from "./labels.ts";
import { failureOf } from "./pull-failure.ts";
import { framesAt } from "./read-log.ts";
import { type SwarmApi, swarmApi } from "./swarm-api.ts";
import type { EngineInfo } from "./swarm-records.ts";
import { serviceSpecOf } from "./swarm-spec.ts";
import { type SwarmTasks, swarmTasks } from "./swarm-task.ts";

const PING_MS = 5_000;
/** A stopped service has its task and the one that would come next. */
const TASKS_TO_KEEP = 2;
/** A manager has no events of what ends on other nodes. */
const LOOK_FOR_ENDS_EVERY_MS = 500;

export interface SwarmOptions {
  /** How an https or ssh manager is reached. */
  access?: HostAccess | undefined;
  /** What runs on a node that is down for longer is given up. */
  hostLostAfterSeconds?: number;
}

/**
 * A Docker Swarm as one host: a container is a service of one replica, and where that runs
 * the swarm decides.
 *
 * @param name `swarm+` and the host string of a manager.
 */
export function swarmHost(
  name: string,
  { access, hostLostAfterSeconds = 300 }: SwarmOptions = {},
): Host {
  const engine = connectEngine(managerOf(name) ?? name, access);
  return hostOf(name, engine, hostLostAfterSeconds);
}

function hostOf(
  name: string,
  engine: Connection,
  hostLostAfterSeconds: number,
  outer?: AbortSignal,
): Host {
  const { docker, close } = engine;
  const api = swarmApi(docker, name, outer);
  const tasks = swarmTasks(api, { name, hostLostAfterSeconds });

  return {
    name,
    close,
    until: (signal) => hostOf(name, engine, hostLostAfterSeconds, signal),

    // Which nodes have an image only they know, and which of them gets a task the swarm decides.
    images: async () => [],

    // What a manager can show is that it knows its services.
    async probe() {
      await api.info(PING_MS);
      await tasks.lookAll(INSTALLATION_LABEL);
    },

    // It is told of each task by the state of its node.
    restartedSince: async () => null,

    async version() {
      const info = await api.info(PING_MS);
      const fault = faultOf(info);
      if (fault !== null) throw new HostUnreachable(`${name}: ${fault}`, { answered: true });
      return info.ServerVersion;
    },

    // The nodes pull by themselves; what can be known before is whether there is anything to pull.
    async pull({ image, login, signal }) {
      if (parseImageReference(image) === null) {
        throw new PullFailed("image_not_found", `"${image}" is no image`);
      }
      try {
        await api.distribution(image, login, signal);
      } catch (error) {
        throw pullErrorOf(error, `${name}: ask for "${image}": `, signal);
      }
    },

    async create(spec) {
      // A network that is missing the manager tells by a fault of its own, and not by a refusal.
      if (spec.network !== undefined) await api.network(spec.network);
      try {
        return await api.create(serviceSpecOf(spec), spec.login ?? null);
      } catch (error) {
        // Only a taken name is a conflict here: it tells that this service was created before.
        if (error instanceof EngineRefusal && error.statusCode === 409) return null;
        throw error;
      }
    },

    // A node sends the log and nothing beside it.
    watchOutput: async () => ({ endedWithNewline: async () => null }),

    start: (id, wait) => tasks.start(checkedId(id), wait),
    stop: (id, graceSeconds) => tasks.stop(checkedId(id), graceSeconds),

    async inspect(container) {
      return (await tasks.look(checkedId(container)))?.state ?? null;
    },

    logs: (id, request) => logsOf(docker, name, tasks, checkedId(id), request),

    async remove(id, { force }) {
      if (force) return await tasks.remove(checkedId(id));
      await tasks.withdraw(checkedId(id)).catch((error: unknown) => {
        if (!(error instanceof EngineRefusal && error.statusCode === 404)) throw error;
      });
    },

    async list(label, value) {
      const looks = await tasks.lookAll(`${label}=${value}`);
      return looks.map(({ state: { id, labels, phase } }) => ({ id, labels, phase }));
    },

    events: (label, value, options) => eventsOf(api, tasks, `${label}=${value}`, options),
  };
}

/** Why an engine cannot be used as a swarm's manager; `null` when it can. */
function faultOf({ Swarm }: EngineInfo): string | null {
  if (Swarm.LocalNodeState !== "active") {
    return (
      `the engine is in no swarm that works (its state is ${Swarm.LocalNodeState}); ` +
      'make it one by "docker swarm init", or name it in "hosts" instead of "swarm"'
    );
  }
  if (!Swarm.ControlAvailable) {
    return (
      "the engine is a worker of its swarm and cannot place services; " +
      'name a manager, or make this node one by "docker node promote"'
    );
  }
  const kept = Swarm.Cluster?.Spec.Orchestration?.TaskHistoryRetentionLimit ?? TASKS_TO_KEEP;
  if (kept >= 0 && kept < TASKS_TO_KEEP) {
    return (
      `the swarm keeps ${kept} tasks of a service, and forgets the exit code of others; ` +
      'let it keep more by "docker swarm update --task-history-limit 5"'
    );
  }
  return null;
}

/** Names of ours and ids of the manager only: anything else could lead the request astray. */
function checkedId(service: string): string {
  if (!/^[a-z0-9]{25}$|^fastlane-job-[0-9a-f-]{36}$/.test(service)) {
    throw new Error(`Cannot ask for service "${service}": it is neither an id nor a name of ours`);
  }
  return service;
}

/** @param prefix What stands before the registry's own words. */
function pullErrorOf(error: unknown, prefix: string, signal: AbortSignal): unknown {
  if (error instanceof EngineRefusal) {
    return new PullFailed(failureOf(error.statusCode, error.message), error.message);
  }
  if (!(error instanceof HostUnreachable)) return error;
  const words = error.message.replace(prefix, "");
  if (error.answered) return new PullFailed(failureOf(500, words), words);
  if (signal.aborted) return new PullAborted(error.message);
  // The manager answers at once when it can; what takes so long is its registry's answer.
  return error.isTimeout ? new PullFailed("registry_busy", words) : error;
}

async function* logsOf(
  docker: Docker,
  name: string,
  tasks: SwarmTasks,
  id: string,
  request: Parameters<Host["logs"]>[1],
) {
  // Of what is given up no log can be had, and waiting for it would keep the end from being told.
  if (!request.follow && ((await tasks.look(id))?.isOutOfReach ?? true)) return;
  yield* framesAt(docker, name, `/services/${id}`, request);
}

async function* eventsOf(
  api: SwarmApi,
  tasks: SwarmTasks,
  label: string,
  { signal, onOpen }: { signal: AbortSignal; onOpen(): void },
): AsyncGenerator<ContainerEvent> {
  await api.info(PING_MS);
  onOpen();
  while (!signal.aborted) {
    for (const { state } of await tasks.lookAll(label)) {
      if (state.phase !== "ended") continue;
      yield { containerId: state.id, executionId: executionIdOf(state.labels) };
    }
    await delay(LOOK_FOR_ENDS_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}
