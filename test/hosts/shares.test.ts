import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";
import { enqueue, eventually, untilEnded, untilExecution } from "../support/client.ts";
import { recordStarts, untilNoContainers } from "../support/containers.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { testEngine } from "../support/engine.ts";
import { getHosts } from "../support/hosts.ts";
import { migratedDatabase } from "../support/store.ts";

test("a node that joins takes its share, and one that goes leaves it, unnoticed by what runs", async () => {
  const engine = await testEngine();
  await using disposals = new AsyncDisposableStack();
  const hosts: string[] = [];
  for (let i = 0; i < 4; i++) hosts.push(disposals.use(await startDockerProxy(engine.host)).host);
  const database = disposals.use(await migratedDatabase());
  const config = { dockerHosts: [{ match: "", hosts, maxRunning: 20 }] };
  const first = disposals.use(await startTestApp({ config, database }));
  const shares = () => sharesOf(first.url);
  await eventually(
    async () => ((await shares()).join() === "4" ? true : undefined),
    () => "one node does not own all hosts",
  );
  await using starts = await recordStarts(engine.docker);
  const lines = Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`).join("");
  const command = ["sh", "-c", "for i in $(seq 1 30); do echo line $i; sleep 0.4; done"];
  const jobs = [];
  for (let i = 0; i < 8; i++) jobs.push(await enqueue(first.url, "t", { command }));
  for (const job of jobs) await untilExecution(job, ({ log }) => log.includes("line 1\n"));

  const second = await startTestApp({ config, database });
  await eventually(
    async () => ((await shares()).join() === "2,2" ? true : undefined),
    () => "the hosts are not shared out",
  );
  await second[Symbol.asyncDispose]();
  await eventually(
    async () => ((await shares()).join() === "4" ? true : undefined),
    () => "the hosts of the node that went are not taken",
  );

  for (const job of jobs) {
    expect(await untilEnded(job)).toMatchObject({ status: "done", log: lines });
    expect(starts.of(job.executionId)).toBe(1);
  }
  await untilNoContainers(engine.docker, database.installation);
});

/** How many hosts each node owns and reaches. */
async function sharesOf(url: string): Promise<number[]> {
  const owners = (await getHosts(url)).flatMap(({ available, lease }) =>
    available ? (lease?.nodeId ?? []) : [],
  );
  const nodes = [...new Set(owners)];
  return nodes.map((node) => owners.filter((owner) => owner === node).length).sort();
}
