-- Who did what: a row for each act of somebody, written in the transaction of the act. It names what
-- the act was about and refers to nothing: it is kept for longer than that.
CREATE TABLE fastlane.audit (
  id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT now(),
  actor_kind text NOT NULL CHECK (actor_kind IN ('token', 'basic', 'anonymous', 'system')),
  actor_name text,
  -- The IP address that it was asked from, where it came over HTTP.
  address text,
  action text NOT NULL CHECK (action IN (
    'enqueue', 'put', 'stop', 'retry', 'redeliver',
    'blacklist', 'blacklist.lift', 'drain', 'token.create', 'token.revoke'
  )),
  task_id text,
  job_id uuid,
  execution_id uuid,
  host text,
  details jsonb NOT NULL DEFAULT '{}' CHECK (
    jsonb_typeof(details) = 'object' AND pg_column_size(details) <= 8192
  ),
  request_id text CHECK (length(request_id) BETWEEN 1 AND 200),
  -- Newest first is this order, backwards.
  PRIMARY KEY (at, id),
  CONSTRAINT audit_name_iff_actor_has_one CHECK (
    (actor_name IS NOT NULL) = (actor_kind IN ('token', 'basic'))
  ),
  CONSTRAINT audit_job_iff_about_one CHECK (
    (job_id IS NOT NULL) = (action IN ('enqueue', 'put', 'stop', 'retry', 'redeliver'))
  ),
  CONSTRAINT audit_task_iff_job CHECK ((task_id IS NOT NULL) = (job_id IS NOT NULL)),
  CONSTRAINT audit_execution_has_job CHECK (execution_id IS NULL OR job_id IS NOT NULL),
  CONSTRAINT audit_execution_where_there_is_one CHECK (
    execution_id IS NOT NULL OR action NOT IN ('retry', 'redeliver')
  ),
  CONSTRAINT audit_host_iff_about_one CHECK (
    (host IS NOT NULL) = (action IN ('blacklist', 'blacklist.lift', 'drain'))
  )
);
CREATE INDEX audit_by_task ON fastlane.audit (task_id, at, id) WHERE task_id IS NOT NULL;
CREATE INDEX audit_by_actor ON fastlane.audit (actor_name, at, id) WHERE actor_name IS NOT NULL;
-- What is seldom done is not looked for among all that is done often, and costs that nothing.
CREATE INDEX audit_by_seldom_action ON fastlane.audit (action, at, id)
  WHERE action NOT IN ('enqueue', 'put', 'stop', 'retry');
