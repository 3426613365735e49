import { asc, eq, isNotNull } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { hosts, jobs, schedules } from "./schema.ts";

/** Every job that will run by itself, with its schedule. */
export async function scheduledJobs(db: Db) {
  return await db
    .select({ job: jobs, schedule: schedules })
    .from(schedules)
    .innerJoin(jobs, eq(jobs.id, schedules.jobId))
    .where(isNotNull(schedules.nextAt))
    .orderBy(asc(jobs.taskId), asc(jobs.id));
}

/** The hosts that are given nothing. */
export async function blacklistedHosts(db: Db | Tx) {
  return await db
    .select({ name: hosts.name, drainDeadline: hosts.drainDeadline })
    .from(hosts)
    .where(isNotNull(hosts.blacklistedAt))
    .orderBy(asc(hosts.name));
}
