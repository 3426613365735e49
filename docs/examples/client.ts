import { answerOf, createFastlane, FastlaneError } from "fastlane/client";

const fastlane = createFastlane(process.env["FASTLANE_URL"] ?? "http://127.0.0.1:10000", {
  ...(process.env["FASTLANE_TOKEN"] === undefined ? {} : { token: process.env["FASTLANE_TOKEN"] }),
});
const task = fastlane.tasks[":taskId"];
const job = task.jobs[":jobId"];

// The payload is checked while it is written: a key that there is not, or a wrong type, does not compile.
const made = await answerOf(
  task.$post({
    param: { taskId: "nightly" },
    json: { image: "busybox", command: "echo hello", pullPolicy: "missing", retries: 2 },
    query: { wait: 5 },
  }),
);
console.log(`made ${made.jobId}: ${made.execution?.status ?? "not started"}`);

// What may have other characters than letters and digits has to be encoded in a path.
const param = { taskId: encodeURIComponent("nightly"), jobId: made.jobId };
const { summary } = await answerOf(job.why.$get({ param }));
console.log(summary);

// Texts come as they are: this one line by line, while it is written.
const log = await job.stdout.$get({ param, query: { tail: 10 } });
console.log(`${log.status} ${await log.text()}`);

// A refusal is an error with the sentence of the server, and its status.
try {
  await answerOf(job.$get({ param: { ...param, jobId: "no-such-job" } }));
} catch (error) {
  if (!(error instanceof FastlaneError)) throw error;
  console.log(`${error.status} ${error.message}`);
}
