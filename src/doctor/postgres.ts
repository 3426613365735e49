import { openStore, type Store } from "../store/connect.ts";
import { schemaState } from "../store/schema-state.ts";
import {
  commitsMs,
  hearsNotifications,
  roundTripsMs,
  type ServerFacts,
  serverFacts,
} from "../store/server-facts.ts";
import { countText, medianOf, timeText } from "./amounts.ts";
import { judgeClock } from "./clock.ts";
import { checkDataFolder } from "./data-folder.ts";
import { type Database, databaseFault, leaveStore, POOLER_ADVICE, placeOf } from "./database.ts";
import type { Check, Tell } from "./finding.ts";
import { judgeServer, judgeSessions } from "./postgres-settings.ts";
import { checkSizes } from "./postgres-sizes.ts";

const SUBJECT = "Postgres";
const WITHIN_MS = 25_000;
const QUESTIONS = 20;
const COMMITS = 10;
/** A question needs the way alone, a commit the disk as well. */
const QUESTION = {
  what: "a question takes",
  slowMs: 5,
  tooSlowMs: 50,
  advice: "run fastlane and Postgres on one network: every step of an execution asks Postgres",
};
const COMMIT = {
  what: "a commit takes",
  slowMs: 20,
  tooSlowMs: 200,
  advice: "give Postgres a faster disk: every step of an execution is committed",
};
const HEARS_WITHIN_MS = 3_000;

export interface PostgresDeps {
  /** `null` where the embedded one does not run. */
  database: Database | null;
  dataDir: string;
}

/** Whether Postgres is there, is one that fastlane can use, and does what its promises rest on. */
export function postgresCheck({ database, dataDir }: PostgresDeps): Check {
  return {
    subject: SUBJECT,
    withinMs: WITHIN_MS,
    async run(tell, signal) {
      if (database === null) {
        tell.ok(
          "no embedded Postgres that this user can see runs just now",
          "start fastlane up to have it checked, and ask as the user that it runs as",
        );
        await checkDataFolder(tell, dataDir);
        return;
      }
      const store = openStore({ address: database.address, max: 1, name: "fastlane doctor" });
      const giveUp = () => store.reset("the doctor gave up");
      signal.addEventListener("abort", giveUp, { once: true });
      try {
        await checkServer(tell, database, store);
      } catch (error) {
        if (signal.aborted) return;
        const { words, advice } = databaseFault(error);
        tell.problem(`it cannot be used at ${placeOf(database)}: ${words}`, advice);
      } finally {
        signal.removeEventListener("abort", giveUp);
        leaveStore(store);
      }
      if (database.isEmbedded) await checkDataFolder(tell, dataDir);
    },
  };
}

async function checkServer(tell: Tell, database: Database, store: Store): Promise<void> {
  const { sql } = store;
  // The first one also makes the connection, which would count as a slow clock.
  await serverFacts(sql);
  const askedAt = Date.now();
  const facts = await serverFacts(sql);
  const answeredAt = Date.now();
  tell.ok(`version ${facts.version} answers at ${placeOf(database)}`);
  judgeServer(tell, facts);
  judgeLatency(tell, QUESTION, medianOf(await roundTripsMs(sql, QUESTIONS)));
  if (!facts.isReplica && !facts.isReadOnly) {
    judgeLatency(tell, COMMIT, medianOf(await commitsMs(sql, COMMITS)));
  }
  const harm = "deadlines and schedules go by the one, times in logs by the other";
  judgeClock(tell, "its clock", { theirs: facts.clock, askedAt, answeredAt }, harm);
  await checkNotifications(tell, store, facts);
  const isThere = await checkSchema(tell, store);
  await judgeSessions(tell, sql, facts, isThere);
  await checkSizes(tell, sql, database.isEmbedded);
}

function judgeLatency(tell: Tell, limits: typeof QUESTION, ms: number): void {
  const message = `${limits.what} ${timeText(ms)}`;
  if (ms > limits.tooSlowMs) tell.problem(`${message}, which is too slow`, limits.advice);
  else if (ms > limits.slowMs) tell.warning(`${message}, which is slow`, limits.advice);
  else tell.ok(message);
}

async function checkNotifications(tell: Tell, store: Store, facts: ServerFacts): Promise<void> {
  // A replica refuses LISTEN, and is a problem as it is.
  if (facts.isReplica) return;
  if (await hearsNotifications(store.sql, HEARS_WITHIN_MS)) {
    tell.ok("a session that listens hears what another one notifies it of");
    return;
  }
  const message = "a session that listens hears nothing: a pooler that gives sessions out by the";
  tell.problem(`${message} transaction seems to stand in between`, POOLER_ADVICE);
}

/** @returns Whether there is a schema that can be asked about nodes. */
async function checkSchema(tell: Tell, store: Store): Promise<boolean> {
  const { applied, known, fault, mayCreate } = await schemaState(store.sql);
  if (fault !== null) {
    tell.problem(
      fault,
      "run the fastlane that the schema is of, or name another database in databaseUrl",
    );
  } else if (applied < known && !mayCreate) {
    const message = `${countText(known - applied, "change")} of the schema cannot be made by this user`;
    tell.problem(message, "make the user the owner of the database, or GRANT CREATE on it");
  } else if (applied === 0) {
    tell.ok("the database is not used yet: the first start of fastlane makes the tables");
  } else if (applied < known) {
    const missing = countText(
      known - applied,
      "change of the schema is",
      "changes of the schema are",
    );
    const message = `${missing} missing for this version`;
    tell.warning(message, "the next start makes them, or fastlane migrate before it");
  } else {
    tell.ok(`the schema is up to date, with ${applied} changes`);
  }
  return applied > 0;
}
