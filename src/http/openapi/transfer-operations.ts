import { ALWAYS, type Operation, WITH_BODY } from "./operation.ts";

const SCHEDULE = {
  taskId: "nightly-cleanup",
  jobId: "c1f4a8de-3b8c-4a41-9a5e-0f7b6f1f9d21",
  payload: { image: "busybox", command: ["date"], cron: "0 3 * * *", timezone: "Europe/Berlin" },
};
const DOCUMENT = { format: 1, schedules: [SCHEDULE], hosts: [] };

export const TRANSFER_OPERATIONS: readonly Operation[] = [
  {
    id: "export",
    method: "get",
    path: "/export/",
    tag: "Service",
    summary: "Export schedules and the blacklist",
    description:
      "Every job that will run by itself, with the payload that makes it again, secrets and all, and the hosts that are blacklisted.",
    parameters: ["withoutSecrets"],
    answers: [
      { status: 200, description: "What import takes", schema: "ExportAnswer", example: DOCUMENT },
    ],
    refusals: [...ALWAYS, "query_invalid", "job_sealed_shut"],
  },
  {
    id: "import",
    method: "post",
    path: "/import/",
    tag: "Service",
    summary: "Import schedules and the blacklist",
    description:
      "Makes what an export has told of, all of it or nothing. A job is known by its id: the same again changes nothing.",
    parameters: ["dryRun"],
    request: {
      schema: "ImportBody",
      examples: { schedule: { summary: "One schedule", value: DOCUMENT } },
    },
    answers: [
      {
        status: 200,
        description: "What became of each",
        schema: "ImportAnswer",
        example: {
          dryRun: false,
          jobs: [{ taskId: SCHEDULE.taskId, jobId: SCHEDULE.jobId, outcome: "made" }],
          blacklisted: [],
        },
      },
    ],
    refusals: [
      ...WITH_BODY,
      "query_invalid",
      "no_pool",
      "payload_not_allowed",
      "job_of_another_task",
    ],
  },
];
