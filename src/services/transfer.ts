import { isDeepStrictEqual } from "node:util";
import type { ActBy } from "../core/audit.ts";
import { AppError } from "../core/errors.ts";
import { type Keyring, SealedShut } from "../core/keyring.ts";
import { redactEnvs } from "../core/redact.ts";
import { sentence } from "../payload/parse.ts";
import { openRequest, openRules } from "../payload/sealed.ts";
import type { ExportAnswer, Import, ImportAnswer } from "../payload/transfer.ts";
import { payloadOf } from "../payload/transfer.ts";
import { writeAudit } from "../store/audit.ts";
import { setBlacklisted } from "../store/blacklist.ts";
import type { Db, Tx } from "../store/connect.ts";
import { findJobById, type NewJob } from "../store/jobs.ts";
import { findSchedule } from "../store/schedules.ts";
import { blacklistedHosts, scheduledJobs } from "../store/transfer.ts";
import { type JobPlan, type PlanDeps, planJob } from "./job-plan.ts";
import { jobOfAnotherTask, putJob } from "./put-job.ts";

/**
 * Schedules, each with the payload that makes it again, and which hosts are blacklisted.
 *
 * @param secretWords By which variables are left out; `null` leaves out nothing.
 * @throws {AppError} `job_sealed_shut`.
 */
export async function exportSettings(
  db: Db,
  keyring: Keyring,
  secretWords: readonly string[] | null,
  by: ActBy,
): Promise<ExportAnswer> {
  const isSecret =
    secretWords === null
      ? null
      : (name: string) => redactEnvs({ [name]: "" }, secretWords)[name] !== "";
  const scheduled = await scheduledJobs(db);
  const hosts = await blacklistedHosts(db);
  const schedules = scheduled.map(({ job, schedule }) => ({
    taskId: job.taskId,
    jobId: job.id,
    payload: payloadOf(
      {
        ...job,
        ...requireOpened(keyring, job),
        schedule: { ...schedule, nextAt: schedule.nextAt ?? new Date(0) },
      },
      isSecret,
    ),
  }));
  const details = { schedules: schedules.length, withSecrets: secretWords === null };
  await db.transaction((tx) => writeAudit(tx, { by, action: "export", details }));
  return {
    format: 1,
    schedules,
    hosts: hosts.map(({ name, drainDeadline }) => ({
      name,
      drainDeadline: drainDeadline?.toISOString() ?? null,
    })),
  };
}

type Outcome = ImportAnswer["jobs"][number]["outcome"];

/**
 * Makes what an export has told of, all of it or nothing. A job is known again by its id: what is
 * there already is left as it is.
 *
 * @throws {AppError} As `planJob`, naming the place, and `putJob`.
 */
export async function importSettings(
  db: Db,
  plan: PlanDeps,
  wish: Import,
  { by, dryRun }: { by: ActBy; dryRun: boolean },
): Promise<ImportAnswer & { pools: string[] }> {
  const plans = wish.schedules.map(({ taskId, jobId, payload }, index) =>
    atPlace(`schedules.${index}.payload`, () =>
      planJob(plan, { taskId, payload, requestIp: null, by }, jobId),
    ),
  );
  return await db.transaction(async (tx) => {
    const jobs: ImportAnswer["jobs"] = [];
    for (const each of plans) {
      const outcome = await outcomeOf(tx, plan.secrets.keyring, each);
      if (!dryRun && (outcome === "made" || outcome === "replaced")) await putJob(tx, each);
      jobs.push({ taskId: each.job.taskId, jobId: each.job.id, outcome });
    }
    const there = new Set((await blacklistedHosts(tx)).map(({ name }) => name));
    const hosts = wish.hosts.filter(({ name }) => !there.has(name));
    for (const { name, drainDeadline } of dryRun ? [] : hosts) {
      await setBlacklisted(tx, name, drainDeadline === null ? null : new Date(drainDeadline));
    }
    const changed = jobs.filter(
      ({ outcome }) => outcome === "made" || outcome === "replaced",
    ).length;
    const details = { schedules: changed, hosts: hosts.length };
    if (!dryRun && changed + hosts.length > 0)
      await writeAudit(tx, { by, action: "import", details });
    const pools = [...new Set(plans.map(({ pool }) => pool))];
    return { dryRun, jobs, blacklisted: hosts.map(({ name }) => name), pools };
  });
}

function atPlace(place: string, make: () => JobPlan): JobPlan {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof AppError) || error.issues === undefined) throw error;
    const issues = error.issues.map((issue) => ({ ...issue, path: `${place}.${issue.path}` }));
    throw new AppError(error.code, sentence("Cannot import", issues), { issues, cause: error });
  }
}

/** @throws {AppError} `job_of_another_task`: so that a dry run tells of it too. */
async function outcomeOf(
  tx: Tx,
  keyring: Keyring,
  { job, firstTick, when }: JobPlan,
): Promise<Outcome> {
  if (firstTick === null) return "over";
  const there = await findJobById(tx, job.id);
  if (there === null) return "made";
  if (there.taskId !== job.taskId) throw jobOfAnotherTask(job.id);
  const schedule = await findSchedule(tx, job.id);
  const isSame =
    there.priority === job.priority &&
    hasSameDetails(keyring, there, job) &&
    isDeepStrictEqual(plain(there.custom), plain(job.custom)) &&
    schedule?.nextAt != null &&
    (when.kind === "cron"
      ? schedule.cron === when.cron &&
        schedule.timezone === when.timezone &&
        schedule.overlap === when.overlap &&
        schedule.catchUp === when.catchUp
      : schedule.cron === null && schedule.nextAt.getTime() === firstTick.getTime());
  return isSame ? "unchanged" : "replaced";
}

type Details = Pick<NewJob, "id" | "request" | "rules">;

/** What cannot be read of the one that is there is lost, and so another. */
function hasSameDetails(keyring: Keyring, there: Details, job: Details): boolean {
  try {
    return isDeepStrictEqual(plain(openedOf(keyring, there)), plain(openedOf(keyring, job)));
  } catch (error) {
    if (error instanceof SealedShut) return false;
    throw error;
  }
}

/** @throws {AppError} `job_sealed_shut`: a payload without its secrets would make another job. */
function requireOpened(keyring: Keyring, job: Details & Pick<NewJob, "taskId">) {
  try {
    return openedOf(keyring, job);
  } catch (error) {
    if (!(error instanceof SealedShut)) throw error;
    throw new AppError(
      "job_sealed_shut",
      `Cannot export job "${job.id}" of task "${job.taskId}": what is secret of it cannot be read, ${error.message}`,
      { cause: error },
    );
  }
}

/** What is sealed of a job is sealed anew each time. */
function openedOf(keyring: Keyring, { id, request, rules }: Details) {
  return { request: openRequest(keyring, id, request), rules: openRules(keyring, id, rules) };
}

/** As it comes out of the store. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
