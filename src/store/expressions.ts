import { sql } from "drizzle-orm";
import type { Db } from "./connect.ts";

/** A user's expression may be one that takes for ever, and those who wait are many. */
const WITHIN_MS = 250;
/** As long as a task id can be. */
const LONGEST = "a".repeat(200);

/**
 * Which of these texts a regular expression fits. Postgres decides: its engine does not go back
 * and forth over a text as that of JavaScript does, and can be stopped.
 *
 * @returns A sentence's end that says what is wrong with the expression, where something is.
 */
export async function textsThatFit(
  db: Db,
  expression: string,
  texts: readonly string[],
): Promise<Set<string> | string> {
  try {
    return await db.transaction(async (tx) => {
      await tx.execute(sql`SELECT set_config('statement_timeout', ${String(WITHIN_MS)}, true)`);
      const rows = await tx.execute<{ text: string }>(sql`
        SELECT text FROM jsonb_array_elements_text(${JSON.stringify(texts)}::jsonb) AS given (text)
        WHERE text ~ ${expression}`);
      return new Set(rows.map(({ text }) => text));
    });
  } catch (error) {
    const fault = faultOf(error);
    if (fault === null) throw error;
    return fault;
  }
}

/** What is wrong with a regular expression, or `null`. */
export async function faultOfExpression(db: Db, expression: string): Promise<string | null> {
  const found = await textsThatFit(db, expression, ["", LONGEST]);
  return typeof found === "string" ? found : null;
}

function faultOf(error: unknown): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = "code" in cause ? cause.code : "";
    if (code === "57014") return "takes too long to be held against a task id";
    if (code === "2201B") {
      return `is no regular expression: ${cause.message.replace(/^invalid regular expression: /, "")}`;
    }
  }
  return null;
}
