import { sql } from "drizzle-orm";
import { ANONYMOUS } from "../../src/core/actor.ts";
import type { ActBy } from "../../src/core/audit.ts";
import type { PoolRule } from "../../src/core/pool.ts";
import type { End } from "../../src/core/status.ts";
import type { JobPayload } from "../../src/payload/job-payload.ts";
import { enqueueJobs } from "../../src/services/enqueue-jobs.ts";
import { type PlanDeps, planJob } from "../../src/services/job-plan.ts";
import type { Db } from "../../src/store/connect.ts";
import { recordReachable } from "../../src/store/host-state.ts";
import { type Lease, registerHosts } from "../../src/store/hosts.ts";
import { acquireLease } from "../support/leases.ts";
import { TEST_SECRETS } from "../support/secrets.ts";

export const SOMEBODY: ActBy = { actor: ANONYMOUS, address: null, requestId: null };

export const PAYLOAD: JobPayload = {
  image: "busybox",
  command: { text: "true", words: ["true"] },
  envs: {},
  metadata: {},
  pullPolicy: "missing",
  priority: 0,
  retries: 0,
  backoff: {},
  onHostLost: "fail",
  notify: {},
  webhooks: {},
};

export const planDeps = (...pools: PoolRule[]): PlanDeps => ({
  pools,
  secrets: TEST_SECRETS,
  registries: {},
  defaults: { hardTimeoutSeconds: 1_800, backoff: { minMs: 1_000, factor: 2 } },
});

/** A plan of task `t`, with keys of the payload over the usual ones. */
export const planOf = (rule: PoolRule, payload: Partial<JobPayload> = {}, taskId = "t") =>
  planJob(
    planDeps(rule),
    { taskId, payload: { ...PAYLOAD, ...payload }, requestIp: null, by: SOMEBODY },
    crypto.randomUUID(),
  );

export const DONE: End = {
  status: "done",
  failureCause: null,
  exitCode: 0,
  message: null,
  startedAt: null,
  finishedAt: null,
  logHasGap: false,
};

export const pool = (hosts: string[], maxRunning = 20): PoolRule => ({
  match: "",
  hosts,
  maxRunning,
});

/** Executions that wait, in the order of their making. */
export async function waiting(db: Db, rule: PoolRule, payloads: Partial<JobPayload>[]) {
  const ids: string[] = [];
  for (const payload of payloads) {
    const [made] = await db.transaction((tx) => enqueueJobs(tx, [planOf(rule, payload)]));
    ids.push(made?.executionId ?? "");
  }
  return ids;
}

/** A host that a node owns and has reached, for as long as the slowest test takes. */
export async function ownedHost(db: Db, name: string): Promise<Lease> {
  await registerHosts(db, [name]);
  const lease = await acquireLease(db, name, crypto.randomUUID());
  if (lease === null) throw new Error(`Cannot own "${name}": another node does`);
  await recordReachable(db, lease, "test");
  await db.execute(sql`
    UPDATE fastlane.hosts SET lease_expires_at = clock_timestamp() + interval '1 hour'
    WHERE name = ${name}`);
  return lease;
}

/** As if the owner had been silent for longer than a lease lasts. */
export async function expire(db: Db, host: string): Promise<void> {
  await db.execute(sql`
    UPDATE fastlane.hosts SET lease_expires_at = clock_timestamp() - interval '1 second'
    WHERE name = ${host}`);
}
