import { sql } from "drizzle-orm";
import { insertLogSegments } from "../../src/store/log-chunks.ts";
import { readText } from "../../src/store/read-text.ts";
import { segmentOf, textOfStream } from "../support/logs.ts";
import { testStore } from "../support/store.ts";
import { pool, waiting } from "./rows.ts";

export type AgedStore = Awaited<ReturnType<typeof agedStore>>;

export const RETENTION = { logsDays: 30, failedLogsDays: 90, executionsDays: 180, auditDays: 365 };

type EndsAs = "done" | "failed" | "timedout" | "stopped";

/** A store in which executions of former days are made. */
export async function agedStore() {
  const store = await testStore();
  const { db } = store;

  /** The day so many days ago, with a partition; `YYYY-MM-DD`. */
  const dayAgo = async (days: number): Promise<string> => {
    const [row] = await db.execute<{ day: string }>(sql`
      SELECT ((now() AT TIME ZONE 'UTC')::date - ${days}::int)::text AS day`);
    const day = row?.day ?? "";
    const name = `log_chunks_${day.replaceAll("-", "")}`;
    await db.execute(
      sql.raw(`CREATE TABLE IF NOT EXISTS fastlane.${name} PARTITION OF fastlane.log_chunks
        FOR VALUES FROM ('${day}') TO ('${day}'::date + 1)`),
    );
    await db.execute(sql`INSERT INTO fastlane.log_days VALUES (${day}) ON CONFLICT DO NOTHING`);
    return day;
  };

  /** An execution that was made so many days ago, with its log, and not ended. */
  const made = async (days: number, texts: readonly string[] = []): Promise<string> => {
    const [id = ""] = await waiting(db, pool(["one"]), [{}]);
    await db.execute(sql`
      UPDATE fastlane.executions SET log_day = ${await dayAgo(days)},
        created_at = now() - make_interval(days => ${days}::int)
      WHERE id = ${id}`);
    await db.execute(sql`
      UPDATE fastlane.jobs SET created_at = executions.created_at,
        last_modified_at = executions.created_at
      FROM fastlane.executions WHERE executions.id = ${id} AND jobs.id = job_id`);
    await db.transaction((tx) =>
      insertLogSegments(
        tx,
        texts.map((text, i) => segmentOf(id, i + 1, text)),
      ),
    );
    return id;
  };

  /** Ends it so many days ago. */
  const end = async (id: string, as: EndsAs, days: number): Promise<void> => {
    const cause = { done: null, failed: "exit_code", timedout: "timeout", stopped: "stopped" }[as];
    await db.execute(sql`
      UPDATE fastlane.executions SET status = ${as}, failure_cause = ${cause}, exit_code = 0,
        finished_at = now() - make_interval(days => ${days}::int) - interval '1 minute'
      WHERE id = ${id}`);
  };

  const ended = async (
    as: EndsAs,
    days: number,
    texts: readonly string[] = [],
    endedDays = days,
  ) => {
    const id = await made(days, texts);
    await end(id, as, endedDays);
    return id;
  };
  const textOf = (id: string) => textOfStream(readText(db, id, ["stdout"]));
  /** The tables of logs there are, in place or not, but those of today and after. */
  const tables = async (): Promise<string[]> => {
    const rows = await db.execute<{ name: string }>(sql`
      SELECT relname AS name FROM pg_class
      WHERE relkind = 'r' AND relname ~ '^log_chunks_'
        AND relname < 'log_chunks_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')
      ORDER BY relname`);
    return rows.map(({ name }) => name.replace("log_chunks_", ""));
  };
  return Object.assign(store, { dayAgo, made, end, ended, textOf, tables });
}

export const nameOf = (day: string) => day.replaceAll("-", "");
