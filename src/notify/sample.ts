import { mailOf } from "./mail-text.ts";
import type { Mail } from "./smtp.ts";
import type { WebhookRequest } from "./webhook.ts";

const IDS = {
  executionId: "00000000-0000-4000-8000-000000000003",
  jobId: "00000000-0000-4000-8000-000000000002",
  taskId: "notify-test",
};
const LOG = "This is a test of fastlane: no job has run.\n";

/** A webhook as one is sent of an execution that succeeded, of a task `notify-test`. */
export function sampleWebhook(url: string, secret: string | null): WebhookRequest {
  const now = new Date().toISOString();
  const body = {
    command: "echo test",
    createdAt: now,
    error: "",
    executionId: IDS.executionId,
    exitCode: 0,
    failureCause: null,
    finishedAt: now,
    image: "busybox",
    log: LOG,
    logState: "complete",
    logBytes: LOG.length,
    logLines: 1,
    metadata: {
      container_id: null,
      docker_host: null,
      docker_port: null,
      retry: 0,
      retryOf: null,
      tickAt: null,
      custom: {},
    },
    requestIPAddress: null,
    startedAt: now,
    status: "done",
    job_id: IDS.jobId,
    task_id: IDS.taskId,
    event: "finishes",
  };
  const request = { id: crypto.randomUUID(), url, method: "POST" as const, headers: {}, secret };
  return { ...request, body: JSON.stringify(body) };
}

/** A mail of the same. */
export function sampleMail(to: string): Mail {
  const jobUrl = `http://127.0.0.1:10000/tasks/${IDS.taskId}/jobs/${IDS.jobId}`;
  const executionUrl = `${jobUrl}/executions/${IDS.executionId}/`;
  const now = new Date();
  const mail = mailOf({
    ...IDS,
    event: "finishes",
    status: "done",
    exitCode: 0,
    failureCause: null,
    message: null,
    image: "busybox",
    command: "echo test",
    startedAt: now,
    finishedAt: now,
    logEnd: LOG,
    logTruncated: false,
    jobUrl,
    executionUrl,
    streamUrl: `${executionUrl}stream/`,
  });
  return { id: crypto.randomUUID(), to, ...mail };
}
