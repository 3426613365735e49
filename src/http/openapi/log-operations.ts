import * as examples from "./log-examples.ts";
import { ALWAYS, type Operation } from "./operation.ts";

const JOB = "/tasks/{taskId}/jobs/{jobId}/";
const EXECUTION = `${JOB}executions/{executionId}/`;

const OF_JOB = ["task_id_invalid", "job_not_found"] as const;
const OF_EXECUTION = ["task_id_invalid", "execution_not_found"] as const;

const TEXT_KEYS = ["tail", "logSince", "follow", "format", "after", "exact", "download"] as const;
const TEXT_HEADERS = ["Range", "If-Range", "If-None-Match"] as const;

const TEXTS = [
  {
    name: "Logs",
    path: "logs/",
    what: "stdout and stderr, with a line -=- between them",
    parameters: ["stream", ...TEXT_KEYS, ...TEXT_HEADERS],
    example: `${examples.STDOUT}\n-=-\n${examples.STDERR}`,
  },
  {
    name: "Stdout",
    path: "stdout/",
    what: "stdout",
    parameters: [...TEXT_KEYS, ...TEXT_HEADERS],
    example: examples.STDOUT,
  },
  {
    name: "Stderr",
    path: "stderr/",
    what: "stderr",
    parameters: [...TEXT_KEYS, ...TEXT_HEADERS],
    example: examples.STDERR,
  },
] as const;

/** The three routes that give a log as text. */
export function textOperations(of: "Job" | "Execution"): Operation[] {
  const isJob = of === "Job";
  const whose = isJob ? "the job's last execution" : "the execution";
  return TEXTS.map(({ name, path, what, parameters, example }) => ({
    id: `get${of}${name}`,
    method: "get",
    path: (isJob ? JOB : EXECUTION) + path,
    tag: isJob ? "Jobs" : "Executions",
    summary: `${isJob ? "Job" : "Execution"} ${name.toLowerCase()}`,
    description: `All that ${whose} has written so far: ${what}.`,
    parameters: isJob
      ? ["taskId", "jobId", ...parameters]
      : ["taskId", "jobId", "executionId", ...parameters],
    answers: [
      {
        status: 200,
        description: "The text; once there is an exit code, Fastlane-Exit-Code has it",
        example,
        headers: ["Fastlane-Exit-Code"],
        ndjson: examples.NDJSON,
      },
      {
        status: 206,
        description: "The range of the text",
        example: example.slice(0, 5),
        headers: ["Fastlane-Exit-Code", "Accept-Ranges", "Content-Range", "ETag"],
      },
      { status: 304, description: "The text is still the same", type: null },
    ],
    refusals: [
      ...ALWAYS,
      "query_invalid",
      "range_not_satisfiable",
      ...(isJob ? ([...OF_JOB, "execution_not_found"] as const) : OF_EXECUTION),
    ],
  }));
}
