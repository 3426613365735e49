import type { Config } from "../config/schema.ts";
import { messageOf } from "../core/errors.ts";
import { hostsOf } from "../core/pool.ts";
import { managerOf } from "../core/swarm-name.ts";
import { configurationCheck } from "./configuration.ts";
import { type Database, installationOf, leaveStore, openDatabase } from "./database.ts";
import type { Check, Finding } from "./finding.ts";
import { hostCheck } from "./host.ts";
import { machineCheck } from "./machine.ts";
import { mailServerCheck } from "./mail-server.ts";
import { nodesCheck } from "./nodes.ts";
import { postgresCheck } from "./postgres.ts";
import { registryChecks } from "./registries.ts";
import { runCheck } from "./run-check.ts";
import { secretKeyCheck } from "./secret-key.ts";
import { timeZonesCheck } from "./time-zones.ts";
import { webhookChecks } from "./webhooks.ts";

export interface ExaminationOptions {
  config: Config;
  /** Of this binary. */
  version: string;
  withCanary: boolean;
  /** Told of what each check has found, always in the same order, and as early as that allows. */
  onFindings(findings: readonly Finding[]): void;
  signal: AbortSignal;
}

/** Looks at everything at once; resolves when nothing of it goes on any more. */
export async function examine(options: ExaminationOptions): Promise<void> {
  const { database, fault } = await openDatabase(options.config).then(
    (opened) => ({ database: opened, fault: null }),
    (error: unknown) => ({ database: null, fault: messageOf(error) }),
  );
  try {
    const checks = checksOf(options, database, fault);
    const running = checks.map((check) => runCheck(check, options.signal));
    for (const { findings } of running) options.onFindings(await findings);
    await Promise.all(running.map(({ settled }) => settled));
  } finally {
    if (database !== null) leaveStore(database.store);
  }
}

/** @param fault Why there is no database, where that is the configuration's fault. */
function checksOf(
  options: ExaminationOptions,
  database: Database | null,
  fault: string | null,
): Check[] {
  const { config, version, withCanary } = options;
  const { dataDir, hostAccess } = config;
  const installation = installationOf(database);
  return [
    configurationCheck(config),
    machineCheck(),
    timeZonesCheck({ database }),
    fault === null ? postgresCheck({ database, dataDir }) : unreadable(fault),
    secretKeyCheck({ config, database }),
    nodesCheck({ config, database, version }),
    ...hostsOf(config.dockerHosts).map((name) =>
      hostCheck({
        name,
        access: hostAccess[managerOf(name) ?? name],
        database,
        installation,
        withCanary,
        runtimes: config.dockerHosts
          .filter(({ hosts }) => hosts.includes(name))
          .flatMap(({ containers }) => containers?.runtime ?? []),
      }),
    ),
    ...registryChecks(config),
    ...(config.smtp === null ? [] : [mailServerCheck(config.smtp)]),
    ...webhookChecks(config),
  ];
}

function unreadable(fault: string): Check {
  return {
    subject: "Postgres",
    withinMs: 1_000,
    async run(tell) {
      tell.problem(fault, "give databaseUrl as postgres://user:password@host:5432/database");
    },
  };
}
