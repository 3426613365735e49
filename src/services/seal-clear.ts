import { sql } from "drizzle-orm";
import type { Keyring } from "../core/keyring.ts";
import { originOf } from "../core/webhook-rules.ts";
import { type StoredRules, sealEnvs, sealWebhook, sealWebhooks } from "../payload/sealed.ts";
import type { Db, Tx } from "../store/connect.ts";

/** Of one transaction: it must not keep rows from others for long. */
const BATCH = 200;

export interface Sealed {
  jobs: number;
  executions: number;
  deliveries: number;
}

type Step = (tx: Tx, sealer: Keyring) => Promise<number>;

/**
 * Seals what is in clear: rows of a version that did not seal, and of the time when a node of such a
 * one was still alive. What somebody else is busy with is left for the next time.
 *
 * @param signal Ends it early, between two transactions.
 */
export async function sealClear(db: Db, sealer: Keyring, signal: AbortSignal): Promise<Sealed> {
  const all = async (step: Step) => {
    for (let sum = 0; ; ) {
      signal.throwIfAborted();
      const sealed = await db.transaction((tx) => step(tx, sealer));
      if (sealed === 0) return sum;
      sum += sealed;
    }
  };
  return {
    executions: await all((tx) => sealEnvsOf(tx, sealer, EXECUTIONS)),
    jobs: (await all((tx) => sealEnvsOf(tx, sealer, JOBS))) + (await all(sealJobWebhooks)),
    deliveries: await all(sealDeliveries),
  };
}

const EXECUTIONS = { table: sql`fastlane.executions`, jobId: sql`job_id` };
const JOBS = { table: sql`fastlane.jobs`, jobId: sql`id` };

async function sealEnvsOf(
  tx: Tx,
  sealer: Keyring,
  { table, jobId }: typeof EXECUTIONS,
): Promise<number> {
  const rows = await tx.execute<{ id: string; jobId: string; envs: Record<string, string> }>(sql`
    SELECT id, ${jobId} AS "jobId", request -> 'envs' AS envs FROM ${table}
    WHERE request -> 'envs' <> '{}' AND NOT (request -> 'envs') ? ''
    LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED`);
  const sealed = rows.map(({ id, jobId, envs }) => ({ id, envs: sealEnvs(envs, jobId, sealer) }));
  await tx.execute(sql`
    UPDATE ${table} AS t SET request = jsonb_set(request, '{envs}', x.envs)
    FROM jsonb_to_recordset(${JSON.stringify(sealed)}::jsonb) AS x (id uuid, envs jsonb)
    WHERE t.id = x.id`);
  return sealed.length;
}

async function sealJobWebhooks(tx: Tx, sealer: Keyring): Promise<number> {
  const rows = await tx.execute<{ id: string; webhooks: StoredRules["webhooks"] }>(sql`
    SELECT id, rules -> 'webhooks' AS webhooks FROM fastlane.jobs
    WHERE rules @? '$.webhooks.*[*] ? (exists (@.secret) || exists (@.headers))'
    LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED`);
  const sealed = rows.map(({ id, webhooks }) => ({
    id,
    webhooks: sealWebhooks(webhooks, id, sealer),
  }));
  await tx.execute(sql`
    UPDATE fastlane.jobs AS t SET rules = jsonb_set(rules, '{webhooks}', x.webhooks)
    FROM jsonb_to_recordset(${JSON.stringify(sealed)}::jsonb) AS x (id uuid, webhooks jsonb)
    WHERE t.id = x.id`);
  return sealed.length;
}

interface ClearDelivery extends Record<string, unknown> {
  id: string;
  jobId: string;
  isService: boolean;
  target: string;
  request: Parameters<typeof sealWebhook>[0];
}

/** Of a webhook of the service all but the origin is sealed, as it was sent in full before. */
async function sealDeliveries(tx: Tx, sealer: Keyring): Promise<number> {
  const rows = await tx.execute<ClearDelivery>(sql`
    SELECT id, target, request, source = 'service' AS "isService",
      (SELECT job_id FROM fastlane.executions WHERE executions.id = execution_id) AS "jobId"
    FROM fastlane.deliveries
    WHERE request ?| '{secret,headers}'
      OR (source = 'service' AND kind = 'webhook' AND NOT request ?| '{webhook,sealed}')
    LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED`);
  const sealed = rows.map(({ id, jobId, isService, target, request }) => ({
    id,
    target: isService ? originOf(target) : target,
    request: sealWebhook(request, jobId, sealer, isService ? { url: target } : {}),
  }));
  await tx.execute(sql`
    UPDATE fastlane.deliveries AS t SET target = x.target, request = x.request
    FROM jsonb_to_recordset(${JSON.stringify(sealed)}::jsonb) AS x (id uuid, target text, request jsonb)
    WHERE t.id = x.id`);
  return sealed.length;
}
