import { setTimeout as delay } from "node:timers/promises";
import { type ContainerState, EngineRefusal, HostUnreachable, type StartWait } from "./host.ts";
import type { SwarmApi } from "./swarm-api.ts";
import { type Cluster, clusterLook } from "./swarm-nodes.ts";
import type { Service, Task } from "./swarm-records.ts";
import { isStarted, isStopped, startedSpec, stoppedSpec } from "./swarm-spec.ts";
import { isActive, isRunning, isTakenAway, stateOf } from "./swarm-state.ts";

/** A task that does not run by then is taken back: its image is too long in coming, or no node fits. */
const STARTS_WITHIN_MS = 30 * 60_000;
const LOOK_SOON_MS = 50;
const LOOK_LATE_MS = 1_000;
/** Beyond its grace a node has so long to tell of a task's end. */
const TELLS_WITHIN_MS = 15_000;
const UPDATE_TRIES = 10;

const NEVER = new AbortController().signal;
const NOBODY_ASKS: StartWait = { signal: NEVER, unwanted: NEVER };

interface Look {
  service: Service;
  task: Task | undefined;
  state: ContainerState;
  /** Its node is down for so long that its log is not waited for any more. */
  isOutOfReach: boolean;
}

/** The services of a swarm, each with the only task of it that is ever run. */
export interface SwarmTasks {
  look(idOrName: string): Promise<Look | null>;
  lookAll(label: string): Promise<Look[]>;
  start(id: string, wait?: StartWait): Promise<void>;
  stop(id: string, graceSeconds: number): Promise<void>;
  /** Takes away what has never run, unless it is being started. */
  withdraw(id: string): Promise<void>;
  remove(id: string): Promise<void>;
}

export function swarmTasks(
  api: SwarmApi,
  { name, hostLostAfterSeconds }: { name: string; hostLostAfterSeconds: number },
): SwarmTasks {
  /** By service, for as long as it is there. */
  const starts = new Map<string, Date>();
  const wereDown = new Set<string>();

  const seen = async (service: Service, tasks: Task[], cluster: Cluster): Promise<Look> => {
    const { ID: id } = service;
    // A stopped service has a second one, which finds no place.
    const [task] = tasks.sort((left, right) => (left.CreatedAt < right.CreatedAt ? -1 : 1));
    if (task !== undefined && isRunning(task) && !isStopped(service)) {
      starts.set(id, new Date(task.Status.Timestamp));
    }
    const node = task === undefined || task.NodeID === "" ? null : await cluster.node(task.NodeID);
    if (node !== null && node.downSeconds !== null && task !== undefined && isActive(task)) {
      wereDown.add(id);
    }
    const state = stateOf(service, task, {
      node,
      wasDown: wereDown.has(id),
      startedAt: starts.get(id) ?? null,
      hostLostAfterSeconds,
    });
    const isOutOfReach = (node?.downSeconds ?? 0) >= hostLostAfterSeconds;
    return { service, task, state, isOutOfReach };
  };

  const look = async (idOrName: string): Promise<Look | null> => {
    const service = await api.service(idOrName);
    const tasks = service === null ? null : await api.tasksOf(service.ID);
    if (service === null || tasks === null) return null;
    return await seen(service, tasks, clusterLook(api));
  };

  const lookOrRefuse = async (id: string): Promise<Look> => {
    const found = await look(id);
    if (found === null) throw new EngineRefusal(404, `The service ${id} is gone`);
    return found;
  };

  /** Changes a service as long as it is as it must be; the manager itself may change it meanwhile. */
  const change = async (id: string, changed: (found: Look) => Service["Spec"] | null) => {
    for (let tries = 1; ; tries += 1) {
      const found = await lookOrRefuse(id);
      const spec = changed(found);
      if (spec === null) return;
      try {
        return await api.update(found.service, spec);
      } catch (error) {
        if (!(error instanceof HostUnreachable) || !error.answered) throw error;
        const latest = await api.service(id);
        const isSame = latest?.Version.Index === found.service.Version.Index;
        if (isSame || tries >= UPDATE_TRIES) throw error;
      }
    }
  };

  const halt = async (id: string, withinMs: number): Promise<Look> => {
    const deadline = performance.now() + withinMs;
    await change(id, ({ service, state }) =>
      isStopped(service) || state.phase === "ended" ? null : stoppedSpec(service),
    );
    for (;;) {
      const found = await lookOrRefuse(id);
      if (found.task === undefined || !isActive(found.task)) return found;
      if (performance.now() > deadline) {
        throw new HostUnreachable(`${name}: stop: its task has not ended within ${withinMs} ms`);
      }
      await delay(LOOK_SOON_MS * 2);
    }
  };

  /** Resolves when it began all the same, and so has been stopped. */
  const takeBack = async (id: string, why: string): Promise<void> => {
    const { task } = await halt(id, TELLS_WITHIN_MS);
    if (task !== undefined && !isTakenAway(task)) return;
    await api.remove(id);
    throw new HostUnreachable(`${name}: start: ${why}`, { answered: true });
  };

  return {
    look,

    async lookAll(label) {
      const services = await api.services(label);
      const tasks = await api.tasks(label);
      const byService = Map.groupBy(tasks, ({ ServiceID }) => ServiceID);
      const cluster = clusterLook(api);
      return await Promise.all(
        services.map((service) => seen(service, byService.get(service.ID) ?? [], cluster)),
      );
    },

    async start(id, { signal, unwanted } = NOBODY_ASKS) {
      await change(id, ({ service }) => {
        if (isStopped(service)) throw new EngineRefusal(409, `The service ${id} is taken back`);
        return isStarted(service) ? null : startedSpec(service);
      });
      const deadline = performance.now() + STARTS_WITHIN_MS;
      const either = AbortSignal.any([signal, unwanted]);
      for (let pauseMs = LOOK_SOON_MS; ; pauseMs = Math.min(pauseMs * 1.5, LOOK_LATE_MS)) {
        const { state, task } = await lookOrRefuse(id);
        if (state.phase === "running" || state.phase === "ended") return;
        if (state.phase === "created" && task !== undefined) {
          if (isTakenAway(task)) return await takeBack(id, "its node was taken from it");
          throw refusalOf(state.error);
        }
        if (signal.aborted) throw new HostUnreachable(`${name}: start: given up`);
        if (unwanted.aborted) return await takeBack(id, "it is not wanted any more");
        if (performance.now() > deadline) return await takeBack(id, state.error);
        await delay(pauseMs, undefined, { signal: either }).catch(() => {});
      }
    },

    async stop(id, graceSeconds) {
      const found = await look(id);
      if (found === null || found.state.phase === "created") return;
      await halt(id, graceSeconds * 1_000 + TELLS_WITHIN_MS);
    },

    async withdraw(id) {
      await change(id, ({ service, state }) => {
        if (state.phase !== "created") throw new EngineRefusal(409, `The service ${id} is started`);
        return stoppedSpec(service);
      });
      await api.remove(id);
    },

    async remove(id) {
      await api.remove(id);
      starts.delete(id);
      wereDown.delete(id);
    },
  };
}

/** What no node can start: in the words and with the code that a single engine has for it. */
function refusalOf(words: string): EngineRefusal {
  return new EngineRefusal(/^no such image/i.test(words) ? 404 : 400, words);
}
