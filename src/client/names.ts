import * as v from "valibot";
import { type Client, read } from "./client.ts";
import { ClientError } from "./client-error.ts";

/** A job, and one of its executions where one is meant. */
export interface JobName {
  taskId: string;
  jobId: string;
  /** `null` where the words name the job alone. */
  executionId: string | null;
}

export interface ExecutionName extends JobName {
  executionId: string;
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
/** The beginning of an id, as lists show it. */
const SHORT_ID = /^[\da-f]{8}[\da-f-]{0,28}$/i;
const IN_URL =
  /\/tasks\/([^/?#]+)(?:\/jobs?\/([\da-f-]{36})(?:(?:\/stream)?\/executions\/([\da-f-]{36}))?)?/i;
/** How far back a short id is looked for. */
const MOST_PAGES = 10;

const Jobs = v.looseObject({
  jobs: v.array(v.looseObject({ id: v.string() })),
  hasNext: v.boolean(),
});
const Job = v.looseObject({
  job: v.looseObject({ executions: v.array(v.looseObject({ executionId: v.string() })) }),
});
const Listed = v.looseObject({
  items: v.array(v.looseObject({ executionId: v.string(), jobId: v.string(), taskId: v.string() })),
  nextCursor: v.nullable(v.string()),
});

/**
 * Which job, and which of its executions, a user means: `TASK JOB [EXECUTION]`, a URL of an answer,
 * `TASK` alone for its newest job, or the id of an execution alone. Ids may be cut to their first
 * eight characters.
 *
 * @throws {ClientError} When there is none, or several.
 */
export async function resolveJob(client: Client, words: readonly string[]): Promise<JobName> {
  const [first = "", job, execution] = words;
  const inUrl = /^https?:\/\//i.test(first) ? partsOfUrl(first) : null;
  // What stands behind would be left alone without a word.
  if (words.length > (inUrl === null ? 3 : 1)) {
    throw new ClientError("Several are named: give one URL, or TASK JOB EXECUTION at most");
  }
  if (inUrl !== null) {
    const { taskId, jobId, executionId } = inUrl;
    return { taskId, jobId: jobId ?? (await newestJob(client, taskId)), executionId };
  }
  if (job === undefined) {
    const isShort = SHORT_ID.test(first) && !(await isTask(client, first));
    if (isShort) return await executionAlone(client, first);
    return { taskId: first, jobId: await newestJob(client, first), executionId: null };
  }
  const jobId = UUID.test(job) ? job : await jobOf(client, first, job);
  const executionId =
    execution === undefined || UUID.test(execution)
      ? (execution ?? null)
      : await executionOf(client, { taskId: first, jobId }, execution);
  return { taskId: first, jobId, executionId };
}

/** As `resolveJob`; the last execution of the job where the words name none. */
export async function resolveExecution(
  client: Client,
  words: readonly string[],
): Promise<ExecutionName> {
  const name = await resolveJob(client, words);
  if (name.executionId !== null) return { ...name, executionId: name.executionId };
  const [last] = await lastExecutions(client, name);
  if (last === undefined) {
    throw new ClientError(`Job ${name.jobId} of task "${name.taskId}" has no execution yet`);
  }
  return { ...name, executionId: last };
}

/** The path of what is named, behind the server's URL and with a slash at its end. */
export function pathOf({ taskId, jobId, executionId }: JobName): string {
  const job = `/tasks/${encodeURIComponent(taskId)}/jobs/${jobId}/`;
  return executionId === null ? job : `${job}executions/${executionId}/`;
}

function partsOfUrl(url: string) {
  const [, task, jobId = null, executionId = null] = IN_URL.exec(url) ?? [];
  if (task === undefined) throw new ClientError("The URL is none of a task, a job or an execution");
  try {
    return { taskId: decodeURIComponent(task), jobId, executionId };
  } catch {
    throw new ClientError("The URL is none of a task, a job or an execution");
  }
}

async function isTask(client: Client, taskId: string): Promise<boolean> {
  try {
    await client.get(`/tasks/${encodeURIComponent(taskId)}/`, { perPage: 1 });
    return true;
  } catch (error) {
    if (error instanceof ClientError && error.status === 404) return false;
    throw error;
  }
}

async function newestJob(client: Client, taskId: string): Promise<string> {
  const answer = await client.get(`/tasks/${encodeURIComponent(taskId)}/`, { perPage: 1 });
  const [newest] = read(client, Jobs, answer).jobs;
  if (newest === undefined) throw new ClientError(`Task "${taskId}" has no job`);
  return newest.id;
}

async function jobOf(client: Client, taskId: string, id: string): Promise<string> {
  if (!SHORT_ID.test(id)) throw notAnId("job", id);
  for (let page = 1; page <= MOST_PAGES; page++) {
    const path = `/tasks/${encodeURIComponent(taskId)}/`;
    const { jobs, hasNext } = read(client, Jobs, await client.get(path, { page, perPage: 100 }));
    const found = oneWith(
      id,
      jobs.map((job) => job.id),
    );
    if (found !== null) return found;
    if (!hasNext) break;
  }
  throw new ClientError(`Task "${taskId}" has no job whose id begins with ${id}`);
}

async function executionOf(
  client: Client,
  { taskId, jobId }: Omit<JobName, "executionId">,
  id: string,
): Promise<string> {
  if (!SHORT_ID.test(id)) throw notAnId("execution", id);
  const found = oneWith(id, await lastExecutions(client, { taskId, jobId, executionId: null }));
  if (found !== null) return found;
  throw new ClientError(
    `None of the job's last 20 executions begins with ${id}: give its whole id`,
  );
}

/** Newest first. */
async function lastExecutions(client: Client, name: JobName): Promise<string[]> {
  const path = pathOf({ ...name, executionId: null });
  const { job } = read(client, Job, await client.get(path));
  return job.executions.map(({ executionId }) => executionId);
}

async function executionAlone(client: Client, id: string): Promise<ExecutionName> {
  let cursor: string | undefined;
  for (let page = 1; page <= MOST_PAGES; page++) {
    const answer = await client.get("/executions/", { limit: 1_000, cursor });
    const { items, nextCursor } = read(client, Listed, answer);
    const found = oneWith(
      id,
      items.map(({ executionId }) => executionId),
    );
    const item = items.find(({ executionId }) => executionId === found);
    if (item !== undefined) {
      return { taskId: item.taskId, jobId: item.jobId, executionId: item.executionId };
    }
    if (nextCursor === null) break;
    cursor = nextCursor;
  }
  throw new ClientError(
    `There is neither a task nor a late execution ${id}: give TASK JOB EXECUTION`,
  );
}

function oneWith(id: string, ids: readonly string[]): string | null {
  const found = ids.filter((each) => each.startsWith(id.toLowerCase()));
  if (found.length > 1) throw new ClientError(`Several ids begin with ${id}: give more of it`);
  return found[0] ?? null;
}

function notAnId(what: "job" | "execution", id: string): ClientError {
  return new ClientError(`"${id}" is no id of a ${what}: it has eight hexadecimal digits at least`);
}
