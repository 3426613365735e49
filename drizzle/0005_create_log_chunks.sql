-- What a container printed. A frame is what Docker wrote at once; a chunk packs neighbouring frames
-- of both streams. `seq` is the number, from 1, of the chunk's first frame in the container's log.
CREATE TABLE fastlane.log_chunks (
  execution_id uuid NOT NULL REFERENCES fastlane.executions (id) ON DELETE CASCADE,
  seq bigint NOT NULL CHECK (seq > 0),
  frames int NOT NULL CHECK (frames > 0),
  stdout_bytes int NOT NULL CHECK (stdout_bytes >= 0),
  stderr_bytes int NOT NULL CHECK (stderr_bytes >= 0),
  -- Docker's time of the newest frame in the chunk.
  last_at timestamptz NOT NULL,
  -- Time, stream and length of each frame; then their bytes.
  index bytea NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (execution_id, seq)
);
