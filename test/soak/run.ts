/*
 * Runs a load on three engines and two nodes while both are killed at random, and holds what came of
 * it against what the containers and the engines tell:
 * `npm run soak -- --seed 123 --minutes 2 --executions 60`. The engines need root.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startPostgres } from "../support/private-postgres.ts";
import { createClient, type Sent } from "./client.ts";
import { startEngines } from "./engines.ts";
import { containersOfFastlane, gatherEvidence, listExecutions } from "./evidence.ts";
import { factsOf } from "./facts.ts";
import { INVARIANTS } from "./invariants.ts";
import { MAX_RUNNING, planLoad } from "./load.ts";
import { runNemesis } from "./nemesis.ts";
import { startNode } from "./nodes.ts";
import { findingsOf, summaryOf, tableOf } from "./report.ts";
import { startWitness } from "./witness.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(1 + Math.floor(Math.random() * 1e6)) },
    minutes: { type: "string", default: "10" },
    executions: { type: "string", default: "300" },
  },
});
/** What lasts long begins before this share of the time is over. */
const LOAD_SHARE = 0.9;
const REST_LIMIT_MS = 150_000;
const LOOK_EVERY_MS = 1_000;

const seed = wholeNumber("seed", values.seed);
const minutes = amount("minutes", values.minutes);
const executions = wholeNumber("executions", values.executions);
const again = `npm run soak -- --seed ${seed} --minutes ${minutes} --executions ${executions}`;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(130));
}

process.stdout.write(`The soak of seed ${seed}. The same load and faults again: ${again}\n`);
const holds = await soak();
process.stdout.write(
  `\n${holds ? "Every invariant holds" : "NOT every invariant holds"}: ${again}\n`,
);
process.exit(holds ? 0 : 1);

async function soak(): Promise<boolean> {
  const folder = resolve("build/soak");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const durationMs = minutes * 60_000;

  await using stack = new AsyncDisposableStack();
  const engines = await startEngines(stack);
  const postgres = stack.use(await startPostgres());
  const witnesses = await Promise.all(engines.map((engine) => startWitness(engine, folder)));
  for (const witness of witnesses) stack.defer(() => witness.stop());
  const environment = {
    FASTLANE_DATABASE_URL: postgres.url,
    FASTLANE_DOCKER_HOSTS: JSON.stringify([
      { hosts: engines.map(({ host }) => host), maxRunning: MAX_RUNNING },
    ]),
  };
  const nodes = [await startNode("node 1", environment), await startNode("node 2", environment)];
  for (const node of nodes) {
    stack.defer(async () => {
      await node.end("SIGTERM");
      await writeFile(`${folder}/${node.name}.log`, node.log());
    });
  }

  const beganAt = Date.now();
  const tell = (words: string) => {
    const seconds = ((Date.now() - beganAt) / 1_000).toFixed(1).padStart(6);
    process.stdout.write(`${seconds} s  ${words}\n`);
  };
  const client = createClient(nodes.map(({ url }) => url));
  const jobs = planLoad(seed, executions, durationMs * LOAD_SHARE);
  const signal = AbortSignal.timeout(durationMs);
  const [faults, sent] = await Promise.all([
    runNemesis({ seed, nodes, engines, postgres, signal, tell }),
    Promise.all(jobs.map((job) => client.send(job, beganAt))),
    delay(durationMs),
  ]);
  tell("all is whole, and everything was sent");
  tell((await isAtRest(sent)) ? "all is at rest" : "NOT all is at rest");

  const evidence = await gatherEvidence({
    client,
    sent,
    faults,
    witnesses,
    engines,
    databaseUrl: postgres.url,
    wrongEnds: nodes.flatMap(({ wrongEnds }) => wrongEnds),
  });
  await writeFile(`${folder}/evidence.json`, JSON.stringify(evidence));
  const facts = factsOf(evidence);
  const rows = INVARIANTS.map((invariant) => ({ invariant, found: invariant.find(facts) }));
  const seconds = (Date.now() - beganAt) / 1_000;
  process.stdout.write(`\n${summaryOf(facts, seconds)}\n\n${tableOf(rows)}\n`);
  process.stdout.write(`${findingsOf(rows, facts)}\n`);
  return rows.every(({ found }) => found.length === 0);

  /** Waits until nothing is open and no container is left; what still is then the invariants tell. */
  async function isAtRest(all: readonly Sent[]): Promise<boolean> {
    const wanted = all.flatMap(({ job, outcome }) =>
      outcome === "acknowledged" && !job.cron ? [{ task: job.task, count: job.count }] : [],
    );
    const deadline = performance.now() + REST_LIMIT_MS;
    while (performance.now() < deadline) {
      await delay(LOOK_EVERY_MS);
      const listed = await listExecutions(client);
      const made = Map.groupBy(listed, ({ taskId }) => taskId);
      const isMade = wanted.every(({ task, count }) => (made.get(task)?.length ?? 0) >= count);
      if (!isMade || listed.some(({ finishedAt }) => finishedAt === null)) continue;
      const left = await Promise.all(
        engines.map(({ engine }) => containersOfFastlane(engine.docker)),
      );
      if (left.flat().length === 0) return true;
    }
    return false;
  }
}

function amount(name: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) === 0) {
    throw new Error(`Cannot use --${name} "${text}": it must be a number above 0`);
  }
  return Number(text);
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) {
    throw new Error(`Cannot use --${name} "${text}": it must be a whole number above 0`);
  }
  return Number(text);
}
