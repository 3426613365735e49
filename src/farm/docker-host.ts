import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import * as v from "valibot";
import type { HostAccess } from "../core/host-access.ts";
import { type Connection, connectEngine } from "./connect.ts";
import { containerStateOf, createOptionsOf, ListedContainer, phaseOf } from "./container.ts";
import { eventsOf } from "./container-events.ts";
import { dial } from "./dial.ts";
import { engineAnswer, engineCall, orNotFound } from "./docker-call.ts";
import { EngineRefusal, type Host, HostUnreachable } from "./host.ts";
import { watchOutput } from "./output-ends.ts";
import { imagesOf, probeEngine, shortNamesOf } from "./probe.ts";
import { pullImage } from "./pull.ts";
import { framesAt } from "./read-log.ts";
import { restartedSince } from "./restarts.ts";
import { sharedPulls } from "./shared-pulls.ts";

const CALL_MS = 15_000;
/** Creating and starting wait for the engine's disk and network; it takes them one after the other. */
const SLOW_CALL_MS = 120_000;
const PING_MS = 5_000;
/** Between two looks at a container that somebody else removes. */
const LOOK_MS = 100;
/** A conflict as others, which the words alone tell apart. */
const REMOVAL_UNDER_WAY = /^removal of container \S+ is already in progress/i;

/**
 * A Docker endpoint reached by dockerode.
 *
 * @param name A host string of the configuration.
 * @param access How an https or ssh host is reached.
 */
export function dockerHost(name: string, access?: HostAccess): Host {
  const connection = connectEngine(name, access);
  const pull = sharedPulls((request) => pullImage(connection.docker, name, request));
  return hostOf(name, { ...connection, pull });
}

interface Engine extends Connection {
  pull: Host["pull"];
}

function hostOf(name: string, engine: Engine, outer?: AbortSignal): Host {
  const { docker, pull, close } = engine;
  const call = <T>(what: string, run: (signal: AbortSignal) => Promise<T>, ms = CALL_MS) =>
    engineCall(`${name}: ${what}`, ms, run, outer);

  return {
    name,

    until: (signal) => hostOf(name, engine, signal),

    async version() {
      const answer = await call(
        "version",
        (abortSignal) => versionOf(docker, abortSignal),
        PING_MS,
      ).catch((error: unknown) => {
        // No engine refuses this: something else listens there, or it is asked in the wrong way.
        throw error instanceof EngineRefusal
          ? new HostUnreachable(`${name}: it answers as no engine does: ${error.message}`)
          : error;
      });
      return answer.Version;
    },

    pull,

    async create(spec) {
      try {
        const container = await call(
          "create container",
          (abortSignal) => docker.createContainer({ ...createOptionsOf(spec), abortSignal }),
          SLOW_CALL_MS,
        );
        return container.id;
      } catch (error) {
        // Only a taken name is a conflict here: it tells that this container was created before.
        if (error instanceof EngineRefusal && error.statusCode === 409) return null;
        throw error;
      }
    },

    watchOutput: (containerId, signal) =>
      engineCall(
        `${name}: attach`,
        CALL_MS,
        () => watchOutput(engine.open, checkedId(containerId), signal),
        signal,
      ),

    async start(containerId) {
      await call(
        "start container",
        (abortSignal) => docker.getContainer(checkedId(containerId)).start({ abortSignal }),
        SLOW_CALL_MS,
      );
    },

    async stop(containerId, graceSeconds) {
      const deadlineMs = graceSeconds * 1_000 + CALL_MS;
      const stopped = call(
        "stop container",
        async (abortSignal) => {
          try {
            await docker
              .getContainer(checkedId(containerId))
              .stop({ t: graceSeconds, abortSignal });
          } catch (error) {
            // It has ended already, which is an answer of its own.
            if (engineAnswer(error)?.statusCode !== 304) throw error;
          }
        },
        deadlineMs,
      );
      await orNotFound(stopped);
    },

    async inspect(container) {
      const found = await orNotFound(
        call("inspect container", (abortSignal) =>
          docker.getContainer(checkedId(container)).inspect({ abortSignal }),
        ),
      );
      return found === null ? null : containerStateOf(found);
    },

    logs: (containerId, request) =>
      framesAt(docker, name, `/containers/${checkedId(containerId)}`, request),

    restartedSince: (act, containerId) => restartedSince(docker, name, act, checkedId(containerId)),

    async remove(containerId, { force }) {
      const container = docker.getContainer(checkedId(containerId));
      const removed = call(
        "remove container",
        (abortSignal) => container.remove({ force, v: true, abortSignal }),
        SLOW_CALL_MS,
      );
      await orNotFound(removed).catch(async (error: unknown) => {
        if (!(error instanceof EngineRefusal && REMOVAL_UNDER_WAY.test(error.message))) throw error;
        const look = (abortSignal: AbortSignal) => container.inspect({ abortSignal });
        const giveUpAt = performance.now() + SLOW_CALL_MS;
        while ((await orNotFound(call("inspect container", look))) !== null) {
          if (performance.now() > giveUpAt) throw error;
          await delay(LOOK_MS);
        }
      });
    },

    async list(label, value) {
      const filters = { label: [`${label}=${value}`] };
      const containers = await call("list containers", (abortSignal) =>
        docker.listContainers({ all: true, filters, abortSignal }),
      );
      return v.parse(v.array(ListedContainer), containers).map((container) => ({
        id: container.Id,
        labels: container.Labels,
        phase: phaseOf(container.State),
      }));
    },

    images: () =>
      call("list images", async (abortSignal) => shortNamesOf(await imagesOf(docker, abortSignal))),

    probe: (labels) => probeEngine(docker, call, labels),

    events: (label, value, { signal, onOpen }) =>
      eventsOf(docker, name, { label: `${label}=${value}`, signal, onOpen }),

    close,
  };
}

const Version = v.object({ Version: v.string() });

async function versionOf(docker: Docker, abortSignal: AbortSignal) {
  const answer = v.safeParse(Version, await dial(docker, { path: "/version", abortSignal }));
  if (!answer.success) throw new Error("what answers there is no Docker engine");
  return answer.output;
}

/** Names of ours and ids of the engine only: anything else could lead the request astray. */
function checkedId(container: string): string {
  if (!/^[0-9a-f]{64}$|^fastlane-job-[0-9a-f-]{36}$/.test(container)) {
    throw new Error(
      `Cannot ask for container "${container}": it is neither an id nor a name of ours`,
    );
  }
  return container;
}
