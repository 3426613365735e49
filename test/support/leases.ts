import type { Db } from "../../src/store/connect.ts";
import { acquireLeases, type Lease } from "../../src/store/hosts.ts";

/** Takes one host's lease; `null` when another node has it. */
export async function acquireLease(db: Db, host: string, nodeId: string): Promise<Lease | null> {
  const [lease] = await acquireLeases(db, { nodeId, hosts: [host], limit: 1, patienceSeconds: 0 });
  return lease ?? null;
}
