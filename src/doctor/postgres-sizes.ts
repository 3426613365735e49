import type postgres from "postgres";
import { bytesWords } from "../core/amounts.ts";
import { sizeFacts } from "../store/server-facts.ts";
import { countText } from "./amounts.ts";
import type { Tell } from "./finding.ts";

/** How much the database has, and whether it is kept tidy. */
export async function checkSizes(
  tell: Tell,
  sql: postgres.Sql,
  isEmbedded: boolean,
): Promise<void> {
  const { databaseBytes, logBytes, logBytesADay, bloated } = await sizeFacts(sql);
  const growth =
    logBytesADay === 0 ? "" : `, which have grown by ${bytesWords(logBytesADay)} a day lately`;
  tell.ok(
    `the database has ${bytesWords(databaseBytes)}, ${bytesWords(logBytes)} of it logs${growth}`,
  );
  for (const { name, dead } of bloated) {
    tell.warning(
      `the table ${name} has ${countText(dead, "dead row")}, more than live ones`,
      `run VACUUM ${name}, and see why autovacuum does not come after it`,
    );
  }
  if (isEmbedded) return;
  tell.ok("how much space is left on its disk it does not tell: watch that there");
}
