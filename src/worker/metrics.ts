import type { HostLeft } from "./held-host.ts";

/** What the workers have counted. */
export interface WorkerMetrics {
  pulled(pool: string, outcome: "ok" | "failed" | "aborted", seconds: number): void;
  delivered(kind: string, outcome: "delivered" | "failed" | "dead", seconds: number): void;
  nodeIs(id: string, name: string): void;
  leaseTaken(): void;
  leaseLeft(reason: HostLeft): void;
  /** Nothing acts on the host by this lease any more. */
  leaseOver(): void;
}
