import { expect, test } from "bun:test";
import { openEnvs, openWebhook } from "../../src/payload/sealed.ts";
import { enqueueJobs } from "../../src/services/enqueue-jobs.ts";
import { planJob } from "../../src/services/job-plan.ts";
import { sealClear } from "../../src/services/seal-clear.ts";
import { tell } from "../../src/services/tell.ts";
import { replaceServiceWebhooks } from "../../src/store/deliveries.ts";
import { findExecutionById } from "../../src/store/executions.ts";
import { findJobById } from "../../src/store/jobs.ts";
import { ledgerOf } from "../../src/store/ledger.ts";
import { everyRow } from "../support/every-row.ts";
import { TEST_SECRETS } from "../support/secrets.ts";
import { testStore } from "../support/store.ts";
import { PAYLOAD, planDeps, pool, SOMEBODY } from "./rows.ts";

const { keyring } = TEST_SECRETS;
const [ENV, SECRET, HEADER, SERVICE] = ["env", "secret", "header", "service"].map(
  (name) => `canary-${name}`,
);
const NEVER = new AbortController().signal;

test("what a version before wrote in clear is sealed, and reads as before", async () => {
  await using store = await testStore();
  const { db } = store;
  const hook = { url: "https://a.example/x", secret: `${SECRET}`, headers: { "X-A": `${HEADER}` } };
  const service = { match: "", events: ["finishes" as const], url: `https://b.example/${SERVICE}` };
  await replaceServiceWebhooks(db, [{ ...service, secret: `${SECRET}` }]);
  const payload = { ...PAYLOAD, envs: { A: `${ENV}` }, webhooks: { finishes: [hook] } };
  const clear = { ...planDeps(pool(["one"])), secrets: { keyring, sealer: () => null } };
  const plan = planJob(
    clear,
    { taskId: "t", payload, requestIp: null, by: SOMEBODY },
    crypto.randomUUID(),
  );
  const [made] = await db.transaction((tx) => enqueueJobs(tx, [plan]));
  const [jobId, executionId] = [made?.jobId ?? "", made?.executionId ?? ""];
  await db.transaction((tx) => tell(tx, [{ executionId, event: "finishes" }]));
  const before = await everyRow(store);

  await replaceServiceWebhooks(db, []);
  const sealed = await sealClear(db, keyring, NEVER);
  const again = await sealClear(db, keyring, NEVER);

  const after = await everyRow(store);
  for (const canary of [ENV, SECRET, HEADER, SERVICE]) {
    expect(before).toContain(`${canary}`);
    expect(after).not.toContain(`${canary}`);
  }
  expect(sealed).toEqual({ executions: 1, jobs: 2, deliveries: 2 });
  expect(again).toEqual({ executions: 0, jobs: 0, deliveries: 0 });
  const [job, execution] = [await findJobById(db, jobId), await findExecutionById(db, executionId)];
  if (job === null || execution === null) throw new Error("a row is gone");
  for (const { request } of [job, execution])
    expect(openEnvs(keyring, jobId, request)).toEqual({ A: `${ENV}` });
  const [kept] = job.rules.webhooks.finishes ?? [];
  expect(kept && openWebhook(keyring, jobId, kept)).toEqual(hook);
  const ledger = await ledgerOf(db, executionId);
  const sent = ledger.map(({ target, request, source }) => ({
    source,
    target,
    ...openWebhook(keyring, jobId, request),
  }));
  expect(sent.sort((a, b) => (a.source < b.source ? -1 : 1))).toEqual([
    { source: "job", target: hook.url, secret: hook.secret, headers: hook.headers },
    { source: "service", target: "https://b.example", url: service.url, secret: hook.secret },
  ]);
});
