import { Counter, Gauge, Histogram, type Registry } from "prom-client";

const ANSWER_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const SEND_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Whoever asks can make up others, and each would be a series. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);

/** Why this node does not act on a host any more. */
export type LeftBecause = "lost" | "unconfirmed" | "handed_over" | "reconnected" | "unnamed";

/** What this node does besides executions: answering, telling the world, holding leases. */
export function nodeCounts(registry: Registry) {
  const registers = [registry];
  const requests = new Counter({
    name: "fastlane_http_requests_total",
    help: "Requests that this node answered, by operation, method and status; a socket counts as its opening, with 101.",
    labelNames: ["operation", "method", "status"],
    registers,
  });
  const answering = new Histogram({
    name: "fastlane_http_request_duration_seconds",
    help: "From a request to the head of its answer, by operation; ?wait and what is followed are among them.",
    labelNames: ["operation"],
    buckets: ANSWER_SECONDS,
    registers,
  });
  const streams = new Gauge({
    name: "fastlane_http_streams_open",
    help: "Answers of this node that stay open: sockets of one log (ws), of all logs (tail), and server-sent events (sse).",
    labelNames: ["kind"],
    registers,
  });
  const tries = new Counter({
    name: "fastlane_delivery_tries_total",
    help: "Tries of webhooks and mails by this node: delivered, failed (to be tried again) or dead (given up).",
    labelNames: ["kind", "outcome"],
    registers,
  });
  const sending = new Histogram({
    name: "fastlane_delivery_duration_seconds",
    help: "How long a try of a webhook or a mail by this node took.",
    labelNames: ["kind"],
    buckets: SEND_SECONDS,
    registers,
  });
  const held = new Gauge({
    name: "fastlane_leases_held",
    help: "Hosts whose lease this node holds.",
    registers,
  });
  const taken = new Counter({
    name: "fastlane_leases_taken_total",
    help: "Leases that this node has taken.",
    registers,
  });
  const left = new Counter({
    name: "fastlane_leases_left_total",
    help: "Leases that this node has left before it stopped, by reason: lost to another node, unconfirmed in time, handed_over, reconnected to the host in another way, or unnamed by the configuration.",
    labelNames: ["reason"],
    registers,
  });
  const info = new Gauge({
    name: "fastlane_node_info",
    help: "1, with the id of this node and the name of its machine; only of a node that runs jobs.",
    labelNames: ["node", "name"],
    registers,
  });
  for (const kind of ["ws", "tail", "sse"]) streams.set({ kind }, 0);
  for (const kind of ["webhook", "mail"]) {
    for (const outcome of ["delivered", "failed", "dead"]) tries.inc({ kind, outcome }, 0);
  }
  for (const reason of ["lost", "unconfirmed", "handed_over", "reconnected", "unnamed"]) {
    left.inc({ reason }, 0);
  }
  return {
    requested(request: { operation: string; method: string; status: number; seconds: number }) {
      const { operation, status, seconds } = request;
      const method = METHODS.has(request.method) ? request.method : "other";
      requests.inc({ operation, method, status: String(status) });
      answering.observe({ operation }, seconds);
    },
    /** @returns What tells that it is closed; more than once counts as once. */
    streamOpened(kind: "ws" | "tail" | "sse"): () => void {
      let isOpen = true;
      streams.inc({ kind });
      return () => {
        if (isOpen) streams.dec({ kind });
        isOpen = false;
      };
    },
    delivered(kind: string, outcome: "delivered" | "failed" | "dead", seconds: number) {
      tries.inc({ kind, outcome });
      sending.observe({ kind }, seconds);
    },
    nodeIs: (node: string, name: string) => info.set({ node, name }, 1),
    leaseTaken() {
      held.inc();
      taken.inc();
    },
    leaseLeft: (reason: LeftBecause) => left.inc({ reason }),
    /** Nothing acts on the host by this lease any more. */
    leaseOver: () => held.dec(),
  };
}
