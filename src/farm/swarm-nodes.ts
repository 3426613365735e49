import type { SwarmApi } from "./swarm-api.ts";

export interface NodeLook {
  hostname: string;
  /** How long the manager has not heard of it; `null` when it has. */
  downSeconds: number | null;
  /** It is the manager that is asked. */
  isManager: boolean;
}

export interface Cluster {
  node(id: string): Promise<NodeLook>;
}

/** The nodes of a swarm at one moment: each is asked about once. */
export function clusterLook(api: SwarmApi): Cluster {
  const nodes = new Map<string, Promise<NodeLook>>();
  let info: ReturnType<SwarmApi["info"]> | undefined;
  const lookAt = async (id: string): Promise<NodeLook> => {
    const node = await api.node(id);
    // A node that was taken out of the swarm does not come back under its id.
    if (node === null) {
      return { hostname: id, downSeconds: Number.POSITIVE_INFINITY, isManager: false };
    }
    const hostname = node.Description?.Hostname ?? id;
    info ??= api.info();
    const { SystemTime, Swarm } = await info;
    const isManager = Swarm.NodeID === id;
    if (node.Status.State !== "down") return { hostname, downSeconds: null, isManager };
    // Both by the manager's clock; the node is written anew when it goes down.
    const downSeconds = (Date.parse(SystemTime) - Date.parse(node.UpdatedAt)) / 1_000;
    return { hostname, downSeconds, isManager };
  };
  return {
    node(id) {
      const known = nodes.get(id) ?? lookAt(id);
      nodes.set(id, known);
      return known;
    },
  };
}
