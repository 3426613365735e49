-- The receipts of reconciliation: what became of each container, or of the lack of one, where a
-- host was held against the rows.
CREATE TABLE fastlane.reconciliations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  host text NOT NULL REFERENCES fastlane.hosts (name),
  -- The lease under which it was decided.
  node uuid NOT NULL,
  fence bigint NOT NULL,
  decision text NOT NULL CHECK (
    decision IN ('adopted', 'finished', 'stopped', 'removed', 'lost')
  ),
  execution_id uuid,
  container_id text,
  reason text NOT NULL,
  decided_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reconciliations_by_host ON fastlane.reconciliations (host, id DESC);
CREATE INDEX reconciliations_by_execution ON fastlane.reconciliations (execution_id);
CREATE INDEX reconciliations_by_time ON fastlane.reconciliations (decided_at);
