import { isTimezone, localTime } from "../core/cron.ts";
import { zonesOfSchedules } from "../store/farm-facts.ts";
import type { Database } from "./database.ts";
import type { Check } from "./finding.ts";

const WITHIN_MS = 12_000;
const ADVICE = "use a build of fastlane that has the time zones: they come with the binary";

/** Whether this binary knows time zones: where it does not, schedules run an hour off, or not at all. */
export function timeZonesCheck({ database }: { database: Database | null }): Check {
  return {
    subject: "time zones",
    withinMs: WITHIN_MS,
    async run(tell) {
      if (!knowsSummerTime()) {
        tell.problem("summer and winter in Europe/Berlin have the same offset from UTC", ADVICE);
        return;
      }
      const zones = await zonesIn(database);
      const unknown = zones.filter((zone) => !isTimezone(zone));
      for (const zone of unknown) {
        tell.problem(
          `schedules use the time zone "${zone}", which this binary does not know`,
          `give those jobs another "timezone", or run a newer fastlane`,
        );
      }
      const used =
        zones.length === 0 ? "" : `, those of the schedules among them (${zones.length})`;
      if (unknown.length === 0) tell.ok(`they are known with their summer times${used}`);
    },
  };
}

/** None where the database cannot be asked: that is told under Postgres. */
async function zonesIn(database: Database | null): Promise<string[]> {
  return database === null ? [] : await zonesOfSchedules(database.store.sql).catch(() => []);
}

function knowsSummerTime(): boolean {
  if (!isTimezone("Europe/Berlin")) return false;
  const offsets = ["2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z"].map((moment) =>
    localTime(new Date(moment), "Europe/Berlin").slice(-6),
  );
  return offsets.join() === "+01:00,+02:00";
}
