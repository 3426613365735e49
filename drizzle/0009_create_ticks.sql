-- The ledger of schedules: what became of each tick, once.
CREATE TABLE fastlane.ticks (
  job_id uuid NOT NULL REFERENCES fastlane.jobs (id),
  at timestamptz NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('ran', 'caught_up', 'skipped', 'missed')),
  -- The execution that was made for it.
  execution_id uuid,
  -- The execution that was in the way.
  blocked_by uuid,
  reason text NOT NULL,
  decided_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (job_id, at),
  CONSTRAINT ticks_execution_iff_made CHECK (
    (execution_id IS NOT NULL) = (outcome IN ('ran', 'caught_up'))
  ),
  CONSTRAINT ticks_blocked_iff_skipped CHECK ((blocked_by IS NOT NULL) = (outcome = 'skipped'))
);
