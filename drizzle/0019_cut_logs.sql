-- A log that has outgrown what is kept of one: the frames up to log_cut_after are there, and those
-- behind log_cut_to. Between them is left out all but the newest chunk of a stream.
ALTER TABLE fastlane.executions
  ADD COLUMN log_cut_after bigint CHECK (log_cut_after >= 0),
  ADD COLUMN log_cut_to bigint,
  -- How much that was, of stdout and stderr.
  ADD COLUMN log_cut_bytes bigint CHECK (log_cut_bytes > 0),
  ADD COLUMN log_cut_lines bigint CHECK (log_cut_lines >= 0),
  ADD CONSTRAINT executions_log_cut_is_whole CHECK (
    num_nulls(log_cut_after, log_cut_to, log_cut_bytes, log_cut_lines) IN (0, 4)
  ),
  ADD CONSTRAINT executions_log_cut_has_frames CHECK (log_cut_to > log_cut_after);
