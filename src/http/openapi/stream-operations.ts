import { ALWAYS, type Operation } from "./operation.ts";

const JOB = "/tasks/{taskId}/jobs/{jobId}/";
const EXAMPLE = "<!doctype html>\n<html>...</html>";

function ofExecution(id: string, path: string): Operation {
  return {
    id,
    method: "get",
    path,
    tag: "Executions",
    summary: "Execution as a page",
    description: "A page that shows the execution's log as it is written, and how it ended.",
    parameters: ["taskId", "jobId", "executionId"],
    answers: [{ status: 200, description: "The page", type: "text/html", example: EXAMPLE }],
    refusals: [...ALWAYS, "task_id_invalid", "execution_not_found"],
  };
}

/** The pages that show logs; the reference spells that of an execution in two ways. */
export const STREAM_OPERATIONS: readonly Operation[] = [
  {
    id: "streamJob",
    method: "get",
    path: `${JOB}stream/`,
    tag: "Jobs",
    summary: "Job as a page",
    description:
      "A page that shows the log of the job's last execution as it is written, or waits for the first.",
    parameters: ["taskId", "jobId"],
    answers: [{ status: 200, description: "The page", type: "text/html", example: EXAMPLE }],
    refusals: [...ALWAYS, "task_id_invalid", "job_not_found"],
  },
  ofExecution("streamExecution", `${JOB}executions/{executionId}/stream/`),
  ofExecution("streamJobExecution", `${JOB}stream/executions/{executionId}/`),
];
