import { type NetworkEngine, type PrivateEngine, startEngine } from "../support/engine.ts";

/** One of the engines that the load runs on. */
export interface SoakEngine {
  name: string;
  /** As `dockerHosts` takes it. */
  host: string;
  /** Reached by a socket that no network fault touches. */
  engine: PrivateEngine;
  /** Where its host is reached by a network that can be broken. */
  network: NetworkEngine | null;
}

/** Two whose containers outlive their daemon, one of them by TCP, and one whose containers do not. */
export async function startEngines(stack: AsyncDisposableStack): Promise<SoakEngine[]> {
  const [first, second, third] = await Promise.all([
    startEngine({ liveRestore: true }).then((engine) => stack.use(engine)),
    startEngine({ liveRestore: false }).then((engine) => stack.use(engine)),
    startEngine({ liveRestore: true, network: true, listen: "tcp" }).then((engine) =>
      stack.use(engine),
    ),
  ]);
  return [
    { name: "engine 1", host: first.host, engine: first, network: null },
    { name: "engine 2", host: second.host, engine: second, network: null },
    { name: "engine 3", host: `tcp://${third.address}:2375`, engine: third, network: third },
  ];
}

/** The engine that the API names in two parts. */
export function engineNamed(
  engines: readonly SoakEngine[],
  { docker_host: host, docker_port: port }: { docker_host: string; docker_port: number | null },
): string {
  const named = port === null ? host : `tcp://${host}:${port}`;
  return engines.find((engine) => engine.host === named)?.name ?? named;
}
