-- How the pull of the image went on is a stream of its own in an execution's log.
ALTER TABLE fastlane.log_chunks
  ADD COLUMN pull_bytes int NOT NULL DEFAULT 0 CHECK (pull_bytes >= 0);

-- How many frames were stored before the container's own log began, which is behind them.
ALTER TABLE fastlane.executions
  ADD COLUMN log_base bigint NOT NULL DEFAULT 0 CHECK (log_base >= 0);
