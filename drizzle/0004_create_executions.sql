-- An execution is one try at a job. It keeps its own copy of what to run.
CREATE TABLE fastlane.executions (
  id uuid PRIMARY KEY,
  job_id uuid NOT NULL REFERENCES fastlane.jobs (id),
  task_id text NOT NULL,
  pool text NOT NULL,
  request jsonb NOT NULL,
  priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
  request_ip text,
  status text NOT NULL DEFAULT 'enqueued' CHECK (
    status IN ('enqueued', 'pulling', 'running', 'done', 'failed', 'timedout', 'stopped', 'expired')
  ),
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Not given to a host before this: a fault that was not the job's puts it off.
  available_at timestamptz NOT NULL DEFAULT now(),
  -- How often it was given to a host, and what went wrong there last.
  placements int NOT NULL DEFAULT 0 CHECK (placements >= 0),
  last_fault text,
  host text REFERENCES fastlane.hosts (name),
  -- From here on its container may have been started: it must not be given to another host.
  claimed_at timestamptz,
  container_id text CHECK (container_id ~ '^[0-9a-f]{64}$'),
  started_at timestamptz,
  finished_at timestamptz,
  exit_code int,
  failure_cause text CHECK (
    failure_cause IN (
      'exit_code', 'oom_killed', 'timeout', 'stopped', 'expired', 'image_not_found', 'pull_denied',
      'pull_failed', 'create_failed', 'host_lost'
    )
  ),
  message text,
  CONSTRAINT executions_on_a_host_when_begun CHECK (
    status NOT IN ('pulling', 'running') OR host IS NOT NULL
  ),
  CONSTRAINT executions_enqueued_on_no_host CHECK (status <> 'enqueued' OR host IS NULL),
  CONSTRAINT executions_enqueued_unclaimed CHECK (status <> 'enqueued' OR claimed_at IS NULL),
  CONSTRAINT executions_running_in_a_container CHECK (
    status <> 'running'
    OR (claimed_at IS NOT NULL AND container_id IS NOT NULL AND started_at IS NOT NULL)
  ),
  CONSTRAINT executions_finished_at_iff_ended CHECK (
    (finished_at IS NOT NULL) = (status NOT IN ('enqueued', 'pulling', 'running'))
  ),
  CONSTRAINT executions_cause_iff_ended_otherwise_than_done CHECK (
    (failure_cause IS NOT NULL) = (status IN ('failed', 'timedout', 'stopped', 'expired'))
  ),
  CONSTRAINT executions_done_is_exit_code_0 CHECK (status <> 'done' OR exit_code = 0)
);
CREATE INDEX executions_by_job ON fastlane.executions (job_id, created_at DESC, id);
-- The waiting line of each pool, in the order in which it is served.
CREATE INDEX executions_waiting ON fastlane.executions (pool, priority DESC, created_at, id)
  WHERE status = 'enqueued';
-- What holds a slot; the slots are counted from these rows.
CREATE INDEX executions_on_hosts ON fastlane.executions (pool, host)
  WHERE status IN ('pulling', 'running');
