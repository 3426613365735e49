import { CRON_PAYLOAD, PAYLOAD } from "./example-payloads.ts";
import { STDERR, STDOUT } from "./log-examples.ts";
import { EXAMPLE_IDS } from "./parameters.ts";
import { STORE } from "./prune-example.ts";

const BASE = "http://localhost:10000";
const { taskId, jobId, executionId } = EXAMPLE_IDS;
const taskUrl = `${BASE}/tasks/${taskId}`;
const jobUrl = `${taskUrl}/jobs/${jobId}`;
const executionUrl = `${jobUrl}/executions/${executionId}/`;
const TASK_REF = { id: taskId, url: taskUrl };
const JOB_REF = { id: jobId, url: jobUrl };
const EXECUTION_REF = { id: executionId, url: executionUrl };
const [CREATED, ENDED] = ["2030-03-29T03:00:00.104Z", "2030-03-29T03:00:02.719Z"];

export const ENQUEUED = {
  executionId,
  executionUrl,
  jobId,
  jobUrl,
  queueJobId: "1204",
  taskId,
  taskUrl,
};

const WHERE = { container_id: "cbab7fd2125a30ac", docker_host: "10.0.0.7", docker_port: 2375 };

const EXECUTION = {
  command: PAYLOAD.command,
  createdAt: CREATED,
  error: STDERR,
  executionId,
  exitCode: 0,
  failureCause: null,
  finishedAt: ENDED,
  image: PAYLOAD.image,
  log: STDOUT,
  logState: "complete",
  logBytes: 18,
  logLines: 2,
  metadata: { ...WHERE, retry: 0, retryOf: null, tickAt: null },
  requestIPAddress: "10.0.0.20",
  startedAt: "2030-03-29T03:00:01.320Z",
  status: "done",
};

const paged = (total: number) => ({
  hasNext: false,
  hasPrev: false,
  nextUrl: null,
  page: 1,
  pages: 1,
  perPage: 10,
  prevUrl: null,
  total,
});

export const TASK_PAGE = {
  ...paged(1),
  items: [{ createdAt: CREATED, jobsCount: 2, lastModifiedAt: ENDED, taskId, url: taskUrl }],
};

export const TASK = {
  ...paged(1),
  jobs: [{ createdAt: CREATED, id: jobId, url: jobUrl }],
  perPage: 100,
  taskId,
};

const nobody = { fails: [], finishes: [], succeeds: [] };

export const JOB = {
  job: {
    command: PAYLOAD.command,
    createdAt: CREATED,
    executionCount: 1,
    executions: [EXECUTION],
    image: PAYLOAD.image,
    lastModifiedAt: CREATED,
    metadata: {
      backoff: { minMs: 1_000, factor: 2, maxMs: 3_600_000, jitter: true },
      custom: PAYLOAD.metadata,
      enqueued_id: ENQUEUED.queueJobId,
      envs: PAYLOAD.envs,
      expiration: null,
      notify: nobody,
      onHostLost: "fail",
      priority: 0,
      pullPolicy: "missing",
      retries: 0,
      retryOn: null,
      retry_count: 0,
      timeout: 1_800,
      webhooks: nobody,
    },
    nextScheduledAt: null,
    requestIPAddress: "10.0.0.20",
    scheduled: false,
    taskId,
    ticks: [],
  },
  task: TASK_REF,
};

export const JOB_VERB = { jobId, jobUrl, taskId, taskUrl };
export const EXECUTION_DETAILS = { execution: EXECUTION, job: JOB_REF, task: TASK_REF };
export const EXECUTION_VERB = { execution: EXECUTION_REF, job: JOB_REF, task: TASK_REF };

const message = "its process ended with exit code 0";
export const WHY = {
  summary: `It ended: ${message}`,
  reasons: [{ code: "done", message, exitCode: 0, finishedAt: ENDED }],
};

export const TICKS = {
  ...paged(1),
  items: [
    {
      at: "2030-03-29T02:00:00.000Z",
      blockedBy: null,
      decidedAt: "2030-03-29T02:00:00.087Z",
      executionId,
      executionUrl,
      outcome: "ran",
      reason: "on time",
    },
  ],
};

export const SCHEDULE = {
  schedule: {
    cron: CRON_PAYLOAD.cron,
    timezone: CRON_PAYLOAD.timezone,
    overlap: CRON_PAYLOAD.overlap,
    catchUp: CRON_PAYLOAD.catchUp,
    canceledAt: null,
  },
  next: [{ at: "2030-03-30T02:00:00.000Z", local: "2030-03-30T03:00:00+01:00" }],
};

export const LISTED = {
  items: [
    {
      ...WHERE,
      createdAt: CREATED,
      executionId,
      exitCode: 0,
      failureCause: null,
      finishedAt: ENDED,
      jobId,
      logState: "complete",
      logBytes: 18,
      logLines: 2,
      startedAt: EXECUTION.startedAt,
      status: "done",
      taskId,
      url: executionUrl,
    },
  ],
  nextCursor: null,
};

export const MANY = {
  count: 1,
  dryRun: true,
  executions: [{ id: executionId, jobId, taskId, url: executionUrl }],
  nextCursor: null,
  skipped: [],
};

export const HEALTHY = { errors: [], postgres: true, queue: true };
export const ILL = {
  errors: [{ message: "connect ECONNREFUSED 127.0.0.1:5432", source: "postgres" }],
  postgres: false,
  queue: true,
};

/** What examples of other files are about, too. */
export const REFS = {
  containerId: "cbab7fd2125a30ac6ea1c7f27f3d1f0a8b35e2d5a1f0c9e7d4b6a8c2e0f1d3b5",
  executionId,
  executionUrl,
  jobId,
  taskId,
};

export const HOST_NAMES = {
  host: WHERE.docker_host,
  name: `tcp://${WHERE.docker_host}:${WHERE.docker_port}`,
  port: WHERE.docker_port,
};
export const HOST = {
  ...HOST_NAMES,
  available: true,
  blacklisted: false,
  blacklistedAt: null,
  circuit: "closed",
  drainDeadline: null,
  engineVersion: "28.2.2",
  error: null,
  failures: 0,
  lastSeenAt: "2026-11-24T09:30:04.127Z",
  lease: {
    expiresAt: "2026-11-24T09:30:12.418Z",
    node: "worker-1",
    nodeId: "6e1c3b50-3d4b-4c6f-9a1e-2f7d8c0b9a11",
  },
  nextProbeAt: null,
  pools: ["^reports-", ""],
  running: 1,
  unreachableSince: null,
};

export const POOL = {
  match: "",
  hosts: [HOST.name],
  running: 1,
  waiting: 0,
  maxRunning: 20,
};

export const STATUS = {
  containers: {
    running: [
      {
        containerId: WHERE.container_id,
        executionId,
        host: WHERE.docker_host,
        jobId,
        port: WHERE.docker_port,
        taskId,
        url: executionUrl,
      },
    ],
  },
  fastlane: { executor: "docker", version: "0.1.0" },
  hosts: [HOST],
  pools: [POOL],
  jobs: { count: 11, scheduled: [] },
  queues: {
    error: { length: 0 },
    jobs: { length: 0 },
    monitor: { length: 1 },
    notify: { length: 0 },
    scheduled: { length: 0, nextHumanReadableDate: null, nextTimeStamp: null },
    webhooks: { length: 0 },
  },
  store: STORE,
  tasks: { count: 1 },
};
