-- A task is a named group of jobs; it begins with its first job.
CREATE TABLE fastlane.tasks (
  id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL DEFAULT now(),
  last_modified_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tasks_by_creation ON fastlane.tasks (created_at, id);

-- A job says what to run. `request` is what the next execution gets, `custom` the user's metadata.
CREATE TABLE fastlane.jobs (
  id uuid PRIMARY KEY,
  task_id text NOT NULL REFERENCES fastlane.tasks (id),
  request jsonb NOT NULL,
  priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
  custom jsonb NOT NULL DEFAULT '{}',
  queue_message_id bigint,
  request_ip text,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_modified_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX jobs_by_task ON fastlane.jobs (task_id, created_at DESC, id);
