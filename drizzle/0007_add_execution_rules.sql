-- What a job asks for beyond its container, for executions to come: see JobRules.
ALTER TABLE fastlane.jobs ADD COLUMN rules jsonb NOT NULL DEFAULT
  '{"retries": 0, "backoff": {"minMs": 1000, "factor": 2, "maxMs": 3600000, "jitter": true},
    "retryOn": null, "timeoutSeconds": 1800, "expiresAt": null, "concurrency": null,
    "onHostLost": "fail", "notify": {}, "webhooks": {}}';
ALTER TABLE fastlane.jobs ALTER COLUMN rules DROP DEFAULT;

-- What of it holds for an execution, as it was when the execution was made.
ALTER TABLE fastlane.executions
  ADD COLUMN timeout_seconds int NOT NULL DEFAULT 1800 CHECK (timeout_seconds > 0),
  -- Set when it runs: its container is stopped then.
  ADD COLUMN deadline_at timestamptz,
  -- Not started by then, it never is.
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN concurrency_key text,
  ADD COLUMN concurrency_limit int CHECK (concurrency_limit > 0),
  -- Not given to a host before all earlier executions of its job have ended.
  ADD COLUMN after_previous boolean NOT NULL DEFAULT false,
  -- The tick of its job's schedule that it was made for.
  ADD COLUMN tick_at timestamptz,
  -- How many retries by the service came before it, and the execution that it retries.
  ADD COLUMN retry int NOT NULL DEFAULT 0 CHECK (retry >= 0),
  ADD COLUMN retry_of uuid,
  ADD COLUMN stop_requested_at timestamptz,
  ADD CONSTRAINT executions_concurrency_is_whole CHECK (
    (concurrency_key IS NULL) = (concurrency_limit IS NULL)
  ),
  ADD CONSTRAINT executions_enqueued_never_to_be_stopped CHECK (
    status <> 'enqueued' OR stop_requested_at IS NULL
  );

-- The waiting line of each key; and what holds the key's slots.
CREATE INDEX executions_waiting_by_key
  ON fastlane.executions (concurrency_key, pool, priority DESC, created_at, id)
  WHERE status = 'enqueued' AND concurrency_key IS NOT NULL;
CREATE INDEX executions_on_hosts_by_key ON fastlane.executions (concurrency_key)
  WHERE status IN ('pulling', 'running') AND concurrency_key IS NOT NULL;
-- What has not ended of a job.
CREATE INDEX executions_open_by_job ON fastlane.executions (job_id, created_at, id)
  WHERE status IN ('enqueued', 'pulling', 'running');
CREATE INDEX executions_expiring ON fastlane.executions (pool, expires_at)
  WHERE status = 'enqueued' AND expires_at IS NOT NULL;
