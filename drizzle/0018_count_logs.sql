ALTER TABLE fastlane.log_chunks
  -- How many newlines are in it, of stdout and stderr; NULL where nobody has counted them.
  ADD COLUMN lines int CHECK (lines >= 0),
  -- Of which streams the last byte is no newline: 1 of stdout, 2 of stderr, 3 of both.
  ADD COLUMN unended smallint NOT NULL DEFAULT 0 CHECK (unended BETWEEN 0 AND 3);

ALTER TABLE fastlane.executions
  -- What the container wrote to stdout and stderr; NULL until it has ended, and of what ended before
  -- this was counted.
  ADD COLUMN log_bytes bigint CHECK (log_bytes >= 0),
  ADD COLUMN log_lines bigint CHECK (log_lines >= 0),
  -- Whether parts of it may be missing that nobody could read, as on a host that was lost.
  ADD COLUMN log_has_gap boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT executions_log_counted_when_ended CHECK (
    (log_bytes IS NULL AND log_lines IS NULL) OR finished_at IS NOT NULL
  );
UPDATE fastlane.executions SET log_has_gap = true
WHERE failure_cause = 'host_lost' OR message LIKE '%of the log %';
