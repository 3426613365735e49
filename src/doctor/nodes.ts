import type { Config } from "../config/schema.ts";
import { hostsOf } from "../core/pool.ts";
import { hostsWithoutOwner, type NodeFacts, nodeFacts } from "../store/farm-facts.ts";
import { countText, timeText } from "./amounts.ts";
import { type Database, databaseFault } from "./database.ts";
import type { Check, Tell } from "./finding.ts";

const WITHIN_MS = 12_000;
/** A node writes its heartbeat every 2 s, and loses its hosts after this. */
const SILENT_AFTER_SECONDS = 10;

export interface NodesDeps {
  config: Config;
  database: Database | null;
  /** Of this binary. */
  version: string;
}

/** Whether nodes run, all of one version, and have all hosts between them. */
export function nodesCheck({ config, database, version }: NodesDeps): Check {
  return {
    subject: "nodes",
    withinMs: WITHIN_MS,
    async run(tell) {
      if (database === null) {
        tell.ok(
          "they cannot be asked for: no embedded Postgres that this user can see runs just now",
        );
        return;
      }
      const { sql } = database.store;
      const nodes = await nodeFacts(sql).catch((error: unknown) => {
        tell.ok(`they cannot be asked for: ${wordsOf(error)}`);
        return null;
      });
      if (nodes === null) return;
      const alive = nodes.filter(({ silentSeconds }) => silentSeconds <= SILENT_AFTER_SECONDS);
      judgeSilence(tell, nodes, alive);
      if (alive.length === 0) return;
      judgeVersions(tell, alive, version);
      const unowned = await hostsWithoutOwner(sql, hostsOf(config.dockerHosts));
      for (const host of unowned) {
        tell.warning(
          `no node has the host ${host}: nothing begins there`,
          "start a node with this configuration (fastlane up or fastlane worker), and see its log",
        );
      }
      if (unowned.length === 0) tell.ok("every configured host has its node");
    },
  };
}

/** The tables are not there before the first start; all else is told under Postgres. */
function wordsOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return code === "42P01" || code === "3F000"
    ? "there are no tables yet"
    : databaseFault(error).words;
}

function judgeSilence(tell: Tell, nodes: readonly NodeFacts[], alive: readonly NodeFacts[]): void {
  for (const { name, version, silentSeconds } of nodes) {
    if (silentSeconds <= SILENT_AFTER_SECONDS) continue;
    tell.warning(
      `the node ${name} (${version}) has not been heard of for ${timeText(silentSeconds * 1_000)}`,
      "see whether its process hangs or was killed, and whether it reaches Postgres",
    );
  }
  if (alive.length > 0) {
    const names = alive.map(({ name, version }) => `${name} (${version})`).join(", ");
    tell.ok(`${countText(alive.length, "node")} run${alive.length === 1 ? "s" : ""}: ${names}`);
  } else {
    tell.warning(
      "no node runs: nothing that is enqueued begins",
      "start fastlane up or fastlane worker",
    );
  }
}

function judgeVersions(tell: Tell, alive: readonly NodeFacts[], ours: string): void {
  const versions = [...new Set(alive.map(({ version }) => version))].sort();
  if (versions.length > 1) {
    tell.warning(
      `the nodes are of several versions: ${versions.join(", ")}`,
      "bring them all to the newest one, one after the other",
    );
  } else if (versions[0] !== ours) {
    tell.warning(
      `the nodes are of version ${versions[0]}, and this fastlane is ${ours}`,
      "ask the doctor of that version, or bring the nodes to this one",
    );
  }
}
