import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { startEngine } from "../support/engine.ts";
import { migratedDatabase } from "../support/store.ts";

const poolOf = (host: string) => ({ dockerHosts: [{ match: "", hosts: [host], maxRunning: 20 }] });
const at = (job: Enqueued, url: string) => ({
  ...job,
  executionUrl: url + new URL(job.executionUrl).pathname,
});

/** Runs a job until it has written a line, and has it ended by a node that is started after `meanwhile`. */
async function endedByTheNext(
  engine: { host: string },
  script: string,
  meanwhile: (executionId: string) => Promise<void>,
) {
  await using database = await migratedDatabase();
  const options = { database, config: poolOf(engine.host) };
  const first = await startTestApp(options);
  const job = await enqueue(first.url, "unwatched", { command: ["sh", "-c", script] });
  await untilExecution(job, ({ log }) => log === "begun\n");
  await first[Symbol.asyncDispose]();
  await meanwhile(job.executionId);
  await using second = await startTestApp(options);
  return await untilEnded(at(job, second.url));
}

test("an engine that went down while no node watched is told as the cause", async () => {
  await using engine = await startEngine();

  const ended = await endedByTheNext(engine, "echo begun; sleep 600", async () => {
    await engine.kill("SIGKILL");
    await engine.start();
  });

  expect(ended).toMatchObject({ status: "failed", failureCause: "host_lost", log: "begun\n" });
});

test("an end while the engine was down says that its log may not be whole", async () => {
  await using engine = await startEngine({ liveRestore: true });

  const ended = await endedByTheNext(engine, "echo begun; sleep 3; echo end", async (id) => {
    const container = engine.docker.getContainer(`fastlane-job-${id}`);
    const { State: state } = await container.inspect();
    await engine.kill("SIGKILL");
    await untilGone(state.Pid);
    await engine.start();
  });

  expect(ended).toMatchObject({ status: "done", exitCode: 0 });
  expect(ended.error).toContain("parts of the log may be lost");
});

test("a process that was killed while no node watched, and not by its engine, has failed by itself", async () => {
  await using engine = await startEngine();

  const ended = await endedByTheNext(engine, "echo begun; sleep 600", async (id) => {
    const container = engine.docker.getContainer(`fastlane-job-${id}`);
    await container.kill();
    await container.wait();
  });

  expect(ended).toMatchObject({ status: "failed", failureCause: "exit_code", exitCode: 137 });
  expect(ended.error).toBe("");
});

async function untilGone(pid: number): Promise<void> {
  while (await Bun.file(`/proc/${pid}/status`).exists()) await Bun.sleep(20);
}
