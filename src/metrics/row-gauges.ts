import { Gauge, type Registry } from "prom-client";
import { poolLabel } from "./label.ts";
import type { Numbers } from "./numbers.ts";

const CIRCUITS = ["closed", "half-open", "open"];

/** Gauges of the whole installation: set anew at each scrape, since hosts and pools come and go. */
export function rowGauges(registry: Registry) {
  const all: Gauge[] = [];
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) => {
    const made = new Gauge<Label>({ name, help, labelNames, registers: [registry] });
    all.push(made);
    return made;
  };
  const up = gauge(
    "fastlane_postgres_up",
    "1 where Postgres answered this scrape in time, else 0.",
  );
  const answer = gauge(
    "fastlane_postgres_answer_seconds",
    "How long this scrape's questions took, with the wait for a connection of this node.",
  );
  const connections = gauge(
    "fastlane_postgres_connections",
    "Connections of all nodes to Postgres, by the part that has them and their state.",
    "application",
    "state",
  );
  const maxConnections = gauge(
    "fastlane_postgres_max_connections",
    "Connections that Postgres has for all of its clients.",
  );
  const size = gauge("fastlane_database_size_bytes", "Size of the database with logs and indexes.");
  const nodes = gauge("fastlane_nodes", "Nodes that run jobs and have been heard of lately.");
  const maxRunning = gauge(
    "fastlane_pool_max_running",
    "Executions at once in a pool at most, by the configuration of this node.",
    "pool",
  );
  const waiting = gauge("fastlane_executions_waiting", "Executions that are enqueued.", "pool");
  const oldest = gauge(
    "fastlane_executions_oldest_wait_seconds",
    "For how long the execution has waited that could have begun first.",
    "pool",
  );
  const running = gauge(
    "fastlane_executions_running",
    "Executions on hosts, by pool, host and status: pulling or running.",
    "pool",
    "host",
    "status",
  );
  const hostUp = gauge("fastlane_host_up", "1 where the host's owner reaches it, else 0.", "host");
  const owned = gauge(
    "fastlane_host_owned",
    "1 where a node holds the host's lease, else 0.",
    "host",
  );
  const blacklisted = gauge("fastlane_host_blacklisted", "1 where nothing new goes there.", "host");
  const circuit = gauge(
    "fastlane_host_circuit",
    "1 at the state of the host's circuit breaker, 0 at the others.",
    "host",
    "state",
  );
  const failures = gauge("fastlane_host_failures", "Failures of the host in a row.", "host");
  const deliveries = gauge("fastlane_deliveries_waiting", "Webhooks and mails to send.", "kind");
  const overdue = gauge(
    "fastlane_deliveries_overdue_seconds",
    "For how long the webhook or mail is overdue that was due first.",
    "kind",
  );
  const messages = gauge(
    "fastlane_queue_messages",
    "Messages of the queue: ready, scheduled for later, locked by a node, or failed for good.",
    "state",
  );
  const oldestMessage = gauge(
    "fastlane_queue_oldest_ready_seconds",
    "For how long the message has been ready that is the oldest of these.",
  );

  const setHosts = (hosts: Numbers["hosts"]) => {
    for (const { host, ...each } of hosts) {
      hostUp.set({ host }, Number(each.isUp));
      owned.set({ host }, Number(each.isOwned));
      blacklisted.set({ host }, Number(each.isBlacklisted));
      failures.set({ host }, each.failures);
      for (const state of CIRCUITS) circuit.set({ host, state }, Number(state === each.circuit));
    }
  };
  const setPools = (pools: readonly { match: string; maxRunning: number }[], known: Numbers) => {
    for (const { match } of pools) {
      waiting.set({ pool: poolLabel(match) }, 0);
      oldest.set({ pool: poolLabel(match) }, 0);
    }
    for (const each of known.waiting) {
      waiting.set({ pool: poolLabel(each.pool) }, each.waiting);
      oldest.set({ pool: poolLabel(each.pool) }, each.oldestSeconds);
    }
    for (const { pool, host, status, count } of known.running) {
      running.set({ pool: poolLabel(pool), host, status }, count);
    }
  };
  const setQueues = (known: Numbers) => {
    for (const each of known.deliveries) {
      deliveries.set({ kind: each.kind }, each.waiting);
      overdue.set({ kind: each.kind }, each.overdueSeconds);
    }
    for (const { state, count, oldestSeconds } of known.messages) {
      messages.set({ state }, count);
      if (state === "ready") oldestMessage.set(oldestSeconds);
    }
  };
  return {
    /** @param known `null` where Postgres does not answer: nothing is told of what it knows. */
    set(
      pools: readonly { match: string; maxRunning: number }[],
      known: Numbers | null,
      seconds: number,
    ) {
      for (const each of all) each.reset();
      for (const bare of [maxConnections, size, nodes, oldestMessage]) bare.remove();
      up.set(known === null ? 0 : 1);
      answer.set(seconds);
      for (const { match, ...pool } of pools) {
        maxRunning.set({ pool: poolLabel(match) }, pool.maxRunning);
      }
      if (known === null) return;
      for (const { application, state, count } of known.connections) {
        connections.set({ application, state }, count);
      }
      maxConnections.set(known.maxConnections);
      size.set(known.databaseBytes);
      nodes.set(known.nodes);
      setPools(pools, known);
      setHosts(known.hosts);
      setQueues(known);
    },
  };
}
