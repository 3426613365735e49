import type postgres from "postgres";
import { bytesWords } from "../core/amounts.ts";
import { nodeFacts } from "../store/farm-facts.ts";
import type { ServerFacts } from "../store/server-facts.ts";
import { countText, timeText } from "./amounts.ts";
import type { Tell } from "./finding.ts";

const OLDEST_MAJOR = 14;
const NEWEST_MAJOR = 18;
const LITTLE_BUFFERS_BYTES = 32 * 1_024 ** 2;
const LONG_TRANSACTION_SECONDS = 600;
/** Its questions 10, its queue 5, its heartbeat, its listener, and the mark of the embedded one. */
const SESSIONS_OF_A_NODE = 18;

/** Judges what a server is and how it is set. */
export function judgeServer(tell: Tell, facts: ServerFacts): void {
  const major = Math.floor(facts.versionNumber / 10_000);
  if (major < OLDEST_MAJOR) {
    tell.problem(
      `version ${facts.version} is too old`,
      `use Postgres ${OLDEST_MAJOR} to ${NEWEST_MAJOR}`,
    );
  } else if (major > NEWEST_MAJOR) {
    tell.warning(
      `version ${facts.version} is newer than what this fastlane was tried with`,
      `use Postgres ${OLDEST_MAJOR} to ${NEWEST_MAJOR}, or a newer fastlane`,
    );
  }
  if (facts.isReplica) {
    tell.problem("it is a replica, which only reads", "name the primary in databaseUrl");
  } else if (facts.isReadOnly) {
    tell.problem(
      "it lets this user only read",
      "turn default_transaction_read_only off for the server, the database and the user",
    );
  }
  judgeDurability(tell, facts);
  if (!facts.autovacuum) {
    tell.problem(
      "autovacuum is off: tables grow and questions become slower without end",
      "set autovacuum = on",
    );
  }
  if (facts.sharedBuffersBytes < LITTLE_BUFFERS_BYTES) {
    tell.warning(
      `shared_buffers is ${bytesWords(facts.sharedBuffersBytes)}, which is very little`,
      "set shared_buffers to 128MB or more, and restart Postgres",
    );
  }
  if (facts.oldestTransactionSeconds > LONG_TRANSACTION_SECONDS) {
    const age = timeText(facts.oldestTransactionSeconds * 1_000);
    tell.warning(
      `a transaction has been open for ${age}: nothing can be cleaned up behind it`,
      "find it by SELECT * FROM pg_stat_activity ORDER BY xact_start, and end what holds it",
    );
  }
}

function judgeDurability(tell: Tell, facts: ServerFacts): void {
  const off = [
    ...(facts.fsync ? [] : ["fsync"]),
    ...(facts.fullPageWrites ? [] : ["full_page_writes"]),
  ];
  for (const name of off) {
    tell.problem(`${name} is off: a power cut can destroy the database`, `set ${name} = on`);
  }
  if (facts.synchronousCommit === "off") {
    tell.problem(
      "synchronous_commit is off: a crash can undo what fastlane has acted on, and run a container twice",
      "set synchronous_commit = on",
    );
  }
  if (off.length === 0 && facts.synchronousCommit !== "off") {
    tell.ok("what is committed is on disk");
  }
}

/** Whether there are sessions for all nodes that run, or for one when none does. */
export async function judgeSessions(
  tell: Tell,
  sql: postgres.Sql,
  { sessions, othersSessions }: ServerFacts,
  isMigrated: boolean,
): Promise<void> {
  const nodes = Math.max(1, isMigrated ? (await nodeFacts(sql)).length : 1);
  const needed = nodes * SESSIONS_OF_A_NODE;
  const message =
    `${countText(nodes, "node")} of fastlane can take ${needed} of its ${sessions} sessions, ` +
    `others have ${othersSessions}`;
  const advice = "raise max_connections, or the limit of this user or database";
  if (needed > sessions) tell.problem(message, advice);
  else if (needed + othersSessions > sessions) tell.warning(message, advice);
  else tell.ok(message);
}
