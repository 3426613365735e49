import * as examples from "./examples.ts";
import { ALWAYS, type Operation } from "./operation.ts";

const { REFS } = examples;

const STOPPED = {
  id: 4711,
  at: "2026-11-24T09:28:51.310Z",
  actor: { kind: "token", name: "ops" },
  address: "10.0.0.23",
  action: "stop",
  task: REFS.taskId,
  job: REFS.jobId,
  execution: REFS.executionId,
  host: null,
  details: {},
  requestId: "req-8f2c",
};

export const AUDIT_OPERATIONS: readonly Operation[] = [
  {
    id: "audit",
    method: "get",
    path: "/audit/",
    tag: "Service",
    summary: "Who did what",
    description:
      "What somebody made, stopped, retried, had told again, blacklisted or lifted, and which tokens were made and revoked, newest first.",
    parameters: ["auditSince", "auditUntil", "actor", "action", "task", "limit", "auditCursor"],
    answers: [
      {
        status: 200,
        description: "Acts, and the cursor of the next ones: null when these are the last",
        schema: "AuditAnswer",
        example: { items: [STOPPED], nextCursor: null },
      },
    ],
    refusals: [...ALWAYS, "query_invalid"],
  },
];
