-- When a job runs by itself: once at a moment, or by cron.
CREATE TABLE fastlane.schedules (
  job_id uuid PRIMARY KEY REFERENCES fastlane.jobs (id),
  -- NULL for a schedule of one moment, which is then next_at.
  cron text,
  timezone text NOT NULL DEFAULT 'UTC',
  overlap text NOT NULL DEFAULT 'allow' CHECK (overlap IN ('allow', 'skip', 'queue')),
  catch_up text NOT NULL DEFAULT 'none' CHECK (catch_up IN ('none', 'last', 'all')),
  -- The first tick that has not been decided; NULL when none will come any more.
  next_at timestamptz,
  -- The message that will fire it.
  message_id bigint,
  canceled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT schedules_canceled_never_fire CHECK (canceled_at IS NULL OR next_at IS NULL)
);
CREATE INDEX schedules_armed ON fastlane.schedules (next_at) WHERE next_at IS NOT NULL;
