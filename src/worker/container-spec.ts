import { AppError } from "../core/errors.ts";
import type { Live } from "../core/live.ts";
import { confinementOf, limitsOf } from "../core/policy.ts";
import { type PoolRule, poolOfExecution } from "../core/pool.ts";
import type { ContainerSpec, RegistryLogin } from "../farm/host.ts";
import { containerNameOf, labelsOf } from "../farm/labels.ts";
import { openEnvs, type Secrets } from "../payload/sealed.ts";
import { requireAllowed } from "../services/job-plan.ts";
import type { ExecutionRow } from "../store/schema.ts";
import { loginFor } from "./pull-image.ts";
import { traceEnvs } from "./tracing.ts";

export interface SpecDeps {
  host: { name: string };
  installation: string;
  pools: Live<readonly PoolRule[]>;
  secrets: Pick<Secrets, "keyring">;
  registries: Live<Readonly<Record<string, RegistryLogin>>>;
}

/**
 * What an execution's container is made from: what was asked for, within the policy that its pool
 * has now. That may be another than when it was enqueued.
 *
 * @throws {AppError} `payload_not_allowed` or `no_pool`.
 * @throws {SealedShut} When its variables cannot be read.
 */
export function containerSpecOf(deps: SpecDeps, execution: ExecutionRow): ContainerSpec {
  const { id, taskId, request } = execution;
  const pool = poolOfExecution(deps.pools.current(), execution);
  if (pool === null) {
    throw new AppError("no_pool", `Cannot start: no pool of dockerHosts matches task "${taskId}"`);
  }
  requireAllowed(pool, request, "Cannot start");
  const own = openEnvs(deps.secrets.keyring, execution.jobId, request);
  return {
    ...request,
    envs: { ...traceEnvs(execution, own), ...own },
    ...limitsOf(pool, request),
    confinement: confinementOf(pool),
    name: containerNameOf(id),
    labels: labelsOf(deps.installation, deps.host.name, execution),
    login: loginFor(deps, request),
  };
}
