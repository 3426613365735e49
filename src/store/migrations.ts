import createInstallation from "../../drizzle/0001_create_installation.sql" with { type: "text" };
import createNodesAndHosts from "../../drizzle/0002_create_nodes_and_hosts.sql" with {
  type: "text",
};
import createTasksAndJobs from "../../drizzle/0003_create_tasks_and_jobs.sql" with { type: "text" };
import createExecutions from "../../drizzle/0004_create_executions.sql" with { type: "text" };
import createLogChunks from "../../drizzle/0005_create_log_chunks.sql" with { type: "text" };
import addTaskWords from "../../drizzle/0006_add_task_words.sql" with { type: "text" };
import addExecutionRules from "../../drizzle/0007_add_execution_rules.sql" with { type: "text" };
import createSchedules from "../../drizzle/0008_create_schedules.sql" with { type: "text" };
import createTicks from "../../drizzle/0009_create_ticks.sql" with { type: "text" };
import createIdempotencyKeys from "../../drizzle/0010_create_idempotency_keys.sql" with {
  type: "text",
};
import indexExecutionsByCreation from "../../drizzle/0011_index_executions_by_creation.sql" with {
  type: "text",
};
import addHostState from "../../drizzle/0012_add_host_state.sql" with { type: "text" };
import createReconciliations from "../../drizzle/0013_create_reconciliations.sql" with {
  type: "text",
};
import createHostImages from "../../drizzle/0014_create_host_images.sql" with { type: "text" };
import nameServicesAsContainers from "../../drizzle/0015_name_services_as_containers.sql" with {
  type: "text",
};
import addPullStream from "../../drizzle/0016_add_pull_stream.sql" with { type: "text" };
import partitionLogChunks from "../../drizzle/0017_partition_log_chunks.sql" with { type: "text" };
import countLogs from "../../drizzle/0018_count_logs.sql" with { type: "text" };
import cutLogs from "../../drizzle/0019_cut_logs.sql" with { type: "text" };
import addChores from "../../drizzle/0020_add_chores.sql" with { type: "text" };
import storeLogsAsGiven from "../../drizzle/0021_store_logs_as_given.sql" with { type: "text" };
import createDeliveries from "../../drizzle/0022_create_deliveries.sql" with { type: "text" };
import createAudit from "../../drizzle/0023_create_audit.sql" with { type: "text" };
import createTokens from "../../drizzle/0024_create_tokens.sql" with { type: "text" };
import sealSecrets from "../../drizzle/0025_seal_secrets.sql" with { type: "text" };
import addTraceContext from "../../drizzle/0026_add_trace_context.sql" with { type: "text" };
import keepPrunes from "../../drizzle/0027_keep_prunes.sql" with { type: "text" };

export interface Migration {
  /** From 1, without gaps. */
  number: number;
  name: string;
  sql: string;
}

/** All changes of the schema, in their order. A change that was released is never edited. */
export const MIGRATIONS: readonly Migration[] = [
  { number: 1, name: "create_installation", sql: createInstallation },
  { number: 2, name: "create_nodes_and_hosts", sql: createNodesAndHosts },
  { number: 3, name: "create_tasks_and_jobs", sql: createTasksAndJobs },
  { number: 4, name: "create_executions", sql: createExecutions },
  { number: 5, name: "create_log_chunks", sql: createLogChunks },
  { number: 6, name: "add_task_words", sql: addTaskWords },
  { number: 7, name: "add_execution_rules", sql: addExecutionRules },
  { number: 8, name: "create_schedules", sql: createSchedules },
  { number: 9, name: "create_ticks", sql: createTicks },
  { number: 10, name: "create_idempotency_keys", sql: createIdempotencyKeys },
  { number: 11, name: "index_executions_by_creation", sql: indexExecutionsByCreation },
  { number: 12, name: "add_host_state", sql: addHostState },
  { number: 13, name: "create_reconciliations", sql: createReconciliations },
  { number: 14, name: "create_host_images", sql: createHostImages },
  { number: 15, name: "name_services_as_containers", sql: nameServicesAsContainers },
  { number: 16, name: "add_pull_stream", sql: addPullStream },
  { number: 17, name: "partition_log_chunks", sql: partitionLogChunks },
  { number: 18, name: "count_logs", sql: countLogs },
  { number: 19, name: "cut_logs", sql: cutLogs },
  { number: 20, name: "add_chores", sql: addChores },
  { number: 21, name: "store_logs_as_given", sql: storeLogsAsGiven },
  { number: 22, name: "create_deliveries", sql: createDeliveries },
  { number: 23, name: "create_audit", sql: createAudit },
  { number: 24, name: "create_tokens", sql: createTokens },
  { number: 25, name: "seal_secrets", sql: sealSecrets },
  { number: 26, name: "add_trace_context", sql: addTraceContext },
  { number: 27, name: "keep_prunes", sql: keepPrunes },
];
