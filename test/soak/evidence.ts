import type Docker from "dockerode";
import postgres from "postgres";
import { type Client, pathOf, type Sent } from "./client.ts";
import { engineNamed, type SoakEngine } from "./engines.ts";
import type { Fault } from "./nemesis.ts";
import type { EngineEvent, Report, Witness } from "./witness.ts";

/** An execution as fastlane tells it. Times are milliseconds since 1970. */
export interface Told {
  id: string;
  jobId: string;
  task: string;
  status: string;
  failureCause: string | null;
  exitCode: number | null;
  engine: string | null;
  containerId: string | null;
  createdAt: number;
  finishedAt: number | null;
  retry: number;
  retryOf: string | null;
  tickAt: string | null;
  stdout: string;
  stderr: string;
  /** Docker's or fastlane's own words about its end. */
  words: string;
}

interface Tick {
  jobId: string;
  at: string;
  outcome: string;
  executionId: string | null;
}

/** All that is known when all is at rest, and nothing that was made out of it. */
export interface Evidence {
  sent: Sent[];
  told: Told[];
  ticks: Tick[];
  reports: Report[];
  events: EngineEvent[];
  faults: Fault[];
  /** Containers of fastlane that are left, in words. */
  containersLeft: string[];
  /** Messages of the queue that are not tried any more, in words. */
  messagesGivenUp: string[];
  wrongEnds: string[];
  wrongAnswers: string[];
}

interface Listed {
  executionId: string;
  jobId: string;
  taskId: string;
  url: string;
  createdAt: string;
  finishedAt: string | null;
  status: string;
  failureCause: string | null;
  exitCode: number | null;
  docker_host: string | null;
  docker_port: number | null;
  container_id: string | null;
}

const TAIL_BYTES = 64 * 1024;

/** Every execution, in no order, without what costs a question each. */
export async function listExecutions(client: Client): Promise<Listed[]> {
  const items: Listed[] = [];
  let cursor: string | null = null;
  do {
    const query = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { text } = await client.get(`/executions/?limit=1000${query}`);
    const page: { items: Listed[]; nextCursor: string | null } = JSON.parse(text);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

export async function containersOfFastlane(docker: Docker): Promise<Docker.ContainerInfo[]> {
  const filters = { label: ["fastlane.installation"] };
  return await docker.listContainers({ all: true, filters });
}

export async function gatherEvidence(deps: {
  client: Client;
  sent: Sent[];
  faults: Fault[];
  witnesses: readonly Witness[];
  engines: readonly SoakEngine[];
  databaseUrl: string;
  wrongEnds: string[];
}): Promise<Evidence> {
  const { client, sent, faults, witnesses, engines, wrongEnds } = deps;
  const told: Told[] = [];
  for (const listed of await listExecutions(client))
    told.push(await toldOf(client, engines, listed));
  const left = await Promise.all(
    engines.map(async ({ name, engine }) =>
      (await containersOfFastlane(engine.docker)).map(
        ({ Id, State, Labels }) =>
          `${name}: ${Id.slice(0, 12)}, ${State}, of execution ${Labels["fastlane.execution"]}`,
      ),
    ),
  );
  return {
    sent,
    told,
    ticks: await ticksOf(client, sent),
    reports: (await Promise.all(witnesses.map((witness) => witness.reports()))).flat(),
    events: (await Promise.all(witnesses.map((witness) => witness.events()))).flat(),
    faults,
    containersLeft: left.flat(),
    messagesGivenUp: await messagesGivenUp(deps.databaseUrl),
    wrongEnds,
    wrongAnswers: client.wrongAnswers,
  };
}

async function toldOf(
  client: Client,
  engines: readonly SoakEngine[],
  listed: Listed,
): Promise<Told> {
  const path = pathOf(listed.url);
  const [whole, stdout, stderr] = await Promise.all(
    ["/", "/stdout/", "/stderr/"].map(async (part) => (await client.get(path + part)).text),
  );
  const { execution } = JSON.parse(whole ?? "");
  return {
    id: listed.executionId,
    jobId: listed.jobId,
    task: listed.taskId,
    status: listed.status,
    failureCause: listed.failureCause,
    exitCode: listed.exitCode,
    engine:
      listed.docker_host === null
        ? null
        : engineNamed(engines, { ...listed, docker_host: listed.docker_host }),
    containerId: listed.container_id,
    createdAt: Date.parse(listed.createdAt),
    finishedAt: listed.finishedAt === null ? null : Date.parse(listed.finishedAt),
    retry: execution.metadata.retry,
    retryOf: execution.metadata.retryOf,
    tickAt: execution.metadata.tickAt,
    stdout: stdout ?? "",
    stderr: stderr ?? "",
    // The words stand behind what is shown of stderr, which is its end.
    words: String(execution.error)
      .slice((stderr ?? "").slice(-TAIL_BYTES).length)
      .trim(),
  };
}

async function ticksOf(client: Client, sent: readonly Sent[]): Promise<Tick[]> {
  const ticks: Tick[] = [];
  for (const { job, answers } of sent) {
    const [answer] = answers;
    if (!job.cron || answer === undefined) continue;
    const { text } = await client.get(`${pathOf(answer.jobUrl)}/ticks/?perPage=100`);
    const page: { items: Omit<Tick, "jobId">[] } = JSON.parse(text);
    ticks.push(...page.items.map((tick) => ({ ...tick, jobId: answer.jobId })));
  }
  return ticks;
}

async function messagesGivenUp(databaseUrl: string): Promise<string[]> {
  const sql = postgres(databaseUrl, { max: 1 });
  try {
    const rows = await sql<{ id: string; task: string; error: string | null }[]>`
      SELECT id, task_identifier AS task, last_error AS error
      FROM graphile_worker.jobs WHERE attempts >= max_attempts`;
    return rows.map(({ id, task, error }) => `message ${id}, ${task}: ${error}`);
  } finally {
    await sql.end();
  }
}
