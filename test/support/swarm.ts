import type Docker from "dockerode";
import { eventually } from "./client.ts";
import { type NetworkEngine, startEngine, startNetwork } from "./engine.ts";

export interface TestSwarm extends AsyncDisposable {
  manager: NetworkEngine;
  worker: NetworkEngine;
  /** As `dockerHosts` has it: `[{"swarm": ...}]`. */
  pools(maxRunning?: number): string;
  /** Resolves when the manager says so of the worker. */
  untilWorkerIs(state: "ready" | "down"): Promise<void>;
  /** Has tasks placed on the worker alone, as long as `action` lasts. */
  onWorkerAlone<T>(action: () => Promise<T>): Promise<T>;
  /** Has nothing placed on the worker. */
  onNoWorker<T>(action: () => Promise<T>): Promise<T>;
  drainWorker(): Promise<void>;
  /** Undoes `drainWorker`. */
  fillWorker(): Promise<void>;
  /** Resolves when the task of an execution is in that state. */
  untilTask(executionId: string, state: string): Promise<void>;
  /** The containers of an execution, running or not, on both engines. */
  containersOf(executionId: string): Promise<Docker.ContainerInfo[]>;
  /** Resolves when no service, no task and no container of an installation is left. */
  untilNothingIsLeft(installation: string): Promise<void>;
}

interface ManagedNode {
  ID: string;
  Version: { Index: number };
  Spec: Record<string, unknown>;
  Status: { State: string };
}

/** Two private engines that are a swarm. */
export async function startSwarm(): Promise<TestSwarm> {
  await using started = new AsyncDisposableStack();
  const network = started.use(await startNetwork());
  const manager = started.use(await startEngine({ network }));
  const worker = started.use(await startEngine({ network }));
  await manager.docker.swarmInit({
    ListenAddr: `${manager.address}:2377`,
    AdvertiseAddr: manager.address,
  });
  const swarm = (await manager.docker.swarmInspect()) as unknown as {
    JoinTokens: { Worker: string };
  };
  await worker.docker.swarmJoin({
    ListenAddr: `${worker.address}:2377`,
    AdvertiseAddr: worker.address,
    RemoteAddrs: [`${manager.address}:2377`],
    JoinToken: swarm.JoinTokens.Worker,
  });
  const idOf = async ({ docker }: NetworkEngine) =>
    ((await docker.info()) as { Swarm: { NodeID: string } }).Swarm.NodeID;
  const [managerId, workerId] = await Promise.all([idOf(manager), idOf(worker)]);
  const node = async (id: string): Promise<ManagedNode> =>
    await manager.docker.getNode(id).inspect();

  const setAvailability = async (id: string, Availability: string) => {
    const { Version, Spec } = await node(id);
    await manager.docker.getNode(id).update({ version: Version.Index, ...Spec, Availability });
  };
  const without = async <T>(id: string, action: () => Promise<T>): Promise<T> => {
    await setAvailability(id, "pause");
    try {
      return await action();
    } finally {
      await setAvailability(id, "active");
    }
  };
  const untilTask = async (executionId: string, state: string) => {
    const filters = JSON.stringify({ service: [`fastlane-job-${executionId}`] });
    let seen: string[] = [];
    await eventually(
      async () => {
        // The service itself may not be there yet.
        const tasks = await manager.docker.listTasks({ filters }).catch(() => []);
        seen = tasks.map(({ Status }: { Status: { State: string } }) => Status.State);
        return seen.includes(state) ? true : undefined;
      },
      () => `no task of ${executionId} is ${state}, but ${seen.join(", ")}`,
    );
  };
  const untilWorkerIs = async (state: string) => {
    await eventually(
      async () => ((await node(workerId)).Status.State === state ? true : undefined),
      () => `the worker is not ${state}`,
      60_000,
    );
  };
  await untilWorkerIs("ready");

  const ours = (installation: string) => ({
    filters: JSON.stringify({ label: [`fastlane.installation=${installation}`] }),
  });
  const left = async (installation: string) => {
    const services = await manager.docker.listServices({
      filters: { label: [`fastlane.installation=${installation}`] },
    });
    const containers = await Promise.all(
      [manager, worker].map(({ docker }) =>
        docker.listContainers({ all: true, ...ours(installation) }),
      ),
    );
    return services.length + (await manager.docker.listTasks()).length + containers.flat().length;
  };

  const kept = started.move();
  return {
    manager,
    worker,
    pools: (maxRunning = 20) => JSON.stringify([{ swarm: manager.host, maxRunning }]),
    untilWorkerIs,
    onWorkerAlone: (action) => without(managerId, action),
    onNoWorker: (action) => without(workerId, action),
    drainWorker: () => setAvailability(workerId, "drain"),
    fillWorker: () => setAvailability(workerId, "active"),
    untilTask,
    async containersOf(executionId) {
      const filters = { label: [`fastlane.execution=${executionId}`] };
      const found = await Promise.all(
        [manager, worker].map(({ docker }) => docker.listContainers({ all: true, filters })),
      );
      return found.flat();
    },
    async untilNothingIsLeft(installation) {
      await eventually(
        async () => ((await left(installation)) === 0 ? true : undefined),
        () => `something of ${installation} is left`,
        60_000,
      );
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
