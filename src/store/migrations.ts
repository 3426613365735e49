import createInstallation from "../../drizzle/0001_create_installation.sql" with { type: "text" };
import createNodesAndHosts from "../../drizzle/0002_create_nodes_and_hosts.sql" with {
  type: "text",
};
import createTasksAndJobs from "../../drizzle/0003_create_tasks_and_jobs.sql" with { type: "text" };
import createExecutions from "../../drizzle/0004_create_executions.sql" with { type: "text" };
import createLogChunks from "../../drizzle/0005_create_log_chunks.sql" with { type: "text" };

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
];
