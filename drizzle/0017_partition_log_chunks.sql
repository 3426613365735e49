-- The logs of the executions made on one day, in UTC, are one partition, so that old logs go as a
-- whole. There is no default partition: the nodes make those of the next days ahead of time.
ALTER TABLE fastlane.executions
  ADD COLUMN log_day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date;
CREATE INDEX executions_by_log_day ON fastlane.executions (log_day);

CREATE TABLE fastlane.log_days (
  day date PRIMARY KEY,
  -- Whose logs are there: those of all executions of the day, of those that failed, or of none.
  kept text NOT NULL DEFAULT 'all' CHECK (kept IN ('all', 'failed', 'none'))
);

-- What is there becomes the partition of the day of this migration, as its executions say.
ALTER TABLE fastlane.log_chunks
  DROP CONSTRAINT log_chunks_execution_id_fkey,
  DROP CONSTRAINT log_chunks_pkey,
  ADD COLUMN day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date;
ALTER TABLE fastlane.log_chunks ALTER COLUMN day DROP DEFAULT;
DO $$
DECLARE
  today date := (now() AT TIME ZONE 'UTC')::date;
  partition text := 'log_chunks_' || to_char(today, 'YYYYMMDD');
BEGIN
  EXECUTE format('ALTER TABLE fastlane.log_chunks RENAME TO %I', partition);
  EXECUTE format(
    'CREATE TABLE fastlane.log_chunks (LIKE fastlane.%I INCLUDING ALL) PARTITION BY RANGE (day)',
    partition
  );
  ALTER TABLE fastlane.log_chunks ADD PRIMARY KEY (execution_id, seq, day);
  EXECUTE format(
    'ALTER TABLE fastlane.log_chunks ATTACH PARTITION fastlane.%I FOR VALUES FROM (%L) TO (%L)',
    partition, today, today + 1
  );
  INSERT INTO fastlane.log_days (day) VALUES (today);
END $$;
