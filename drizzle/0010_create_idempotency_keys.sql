-- What a request with an idempotency key has made: the same request again makes nothing.
CREATE TABLE fastlane.idempotency_keys (
  task_id text NOT NULL,
  key text NOT NULL,
  -- SHA-256 of what was asked for.
  request_hash bytea NOT NULL,
  job_id uuid NOT NULL,
  execution_id uuid,
  message_id bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (task_id, key)
);
CREATE INDEX idempotency_keys_by_creation ON fastlane.idempotency_keys (created_at);
