-- A chore can be asked for before it is due, is held by one node while it lasts, and leaves what came
-- of it.
ALTER TABLE fastlane.chores
  ADD COLUMN asked_at timestamptz,
  ADD COLUMN held_by uuid,
  ADD COLUMN held_until timestamptz,
  ADD COLUMN finished_at timestamptz,
  ADD COLUMN result jsonb,
  ADD CONSTRAINT chores_held_until_iff_held CHECK ((held_by IS NULL) = (held_until IS NULL));

-- How large the store was, once a day: how fast it grows.
CREATE TABLE fastlane.store_sizes (
  day date PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  bytes bigint NOT NULL CHECK (bytes >= 0),
  logs_bytes bigint NOT NULL CHECK (logs_bytes >= 0),
  executions_bytes bigint NOT NULL CHECK (executions_bytes >= 0)
);

-- What a host's owner has found and taken away of containers that are of no execution there.
ALTER TABLE fastlane.hosts
  ADD COLUMN leftovers int NOT NULL DEFAULT 0 CHECK (leftovers >= 0),
  ADD COLUMN leftovers_removed bigint NOT NULL DEFAULT 0 CHECK (leftovers_removed >= 0),
  ADD COLUMN reconciled_at timestamptz,
  -- Somebody wants to know at once.
  ADD COLUMN reconcile_asked_at timestamptz;

ALTER TABLE fastlane.audit DROP CONSTRAINT audit_action_check;
ALTER TABLE fastlane.audit ADD CONSTRAINT audit_action_check CHECK (action IN (
  'enqueue', 'put', 'stop', 'retry', 'redeliver',
  'blacklist', 'blacklist.lift', 'drain', 'token.create', 'token.revoke',
  'prune', 'export', 'import'
)) NOT VALID;
