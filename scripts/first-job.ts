/* Runs one job on the fastlane at the given URL, shows what became of it and where to look next. */

import { setTimeout as sleep } from "node:timers/promises";

interface Execution {
  status: string;
  exitCode: number | null;
  log: string | null;
  error: string | null;
}

const FINAL = ["done", "failed", "timedout", "stopped", "expired"];
const LIMIT_MS = 120_000;
const COMMAND = "echo hello from fastlane; uname -sm; date";

const url = process.argv[2] ?? "http://127.0.0.1:10000";
const job = { image: "busybox", command: ["sh", "-c", COMMAND], pullPolicy: "missing" };
const { executionUrl, jobUrl } = await ask<{ executionUrl: string; jobUrl: string }>(
  `${url}/tasks/first/`,
  JSON.stringify(job),
);
const execution = await ended(executionUrl);

const output = `${execution.log ?? ""}${execution.error ?? ""}`;
console.log(`
The first job ran \`${COMMAND}\` in busybox:

${output.trimEnd().replaceAll(/^/gm, "    ")}

It ended as "${execution.status}" with exit code ${execution.exitCode}.

fastlane listens on ${url}. To look further:

    curl ${jobUrl.replace(/\/$/, "")}/logs/
    curl ${executionUrl}
    curl ${url}/status/
    curl -d '{"image": "busybox", "command": "echo again", "pullPolicy": "missing"}' ${url}/tasks/first/
`);
process.exit(execution.status === "done" ? 0 : 1);

async function ended(address: string): Promise<Execution> {
  const deadline = performance.now() + LIMIT_MS;
  while (performance.now() < deadline) {
    const { execution: now } = await ask<{ execution: Execution }>(address);
    if (FINAL.includes(now.status)) return now;
    await sleep(100);
  }
  throw new Error(`Cannot wait longer for "${address}": not ended after ${LIMIT_MS / 1_000} s`);
}

async function ask<T>(address: string, body?: string): Promise<T> {
  const signal = AbortSignal.timeout(10_000);
  const answer = await fetch(
    address,
    body === undefined ? { signal } : { method: "POST", body, signal },
  );
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Cannot read "${address}": ${answer.status} ${text}`);
  return JSON.parse(text);
}
