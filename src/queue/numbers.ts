import type { Db } from "../store/connect.ts";

const STATES = ["ready", "scheduled", "locked", "failed"] as const;

export interface MessageNumbers {
  state: (typeof STATES)[number];
  count: number;
  /** Since the first of them was to be handled. */
  oldestSeconds: number;
}

/** The messages of the queue, by what they wait for. */
export async function messageNumbers(db: Db): Promise<MessageNumbers[]> {
  const rows = await db.$client<MessageNumbers[]>`
    SELECT CASE WHEN locked_at IS NOT NULL THEN 'locked' WHEN attempts >= max_attempts THEN 'failed'
        WHEN run_at > now() THEN 'scheduled' ELSE 'ready' END AS state,
      count(*)::int AS count,
      greatest(0, extract(epoch FROM now() - min(run_at)))::float8 AS "oldestSeconds"
    FROM graphile_worker._private_jobs GROUP BY 1`;
  const nothing = { count: 0, oldestSeconds: 0 };
  return STATES.map((state) => rows.find((row) => row.state === state) ?? { state, ...nothing });
}
