-- What others are given to say who they are. A token that was revoked or has expired keeps its row.
CREATE TABLE fastlane.tokens (
  -- The part of it that is no secret.
  id text PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z]{12}$'),
  name text NOT NULL CHECK (name ~ '^[A-Za-z0-9._-]{1,100}$'),
  -- SHA-256 of the whole token, which itself is kept nowhere.
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  role text NOT NULL CHECK (role IN ('viewer', 'submitter', 'operator', 'admin')),
  -- A regular expression on the ids of the tasks that it is for; NULL is all.
  task_match text,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  -- NULL is never.
  expires_at timestamptz,
  -- To the minute.
  last_used_at timestamptz,
  revoked_at timestamptz,
  -- Hosts, and many executions at once, belong to all tasks.
  CONSTRAINT tokens_with_tasks_view_or_submit CHECK (
    task_match IS NULL OR role IN ('viewer', 'submitter')
  ),
  CONSTRAINT tokens_expire_after_their_creation CHECK (expires_at > created_at)
);
CREATE UNIQUE INDEX tokens_name_of_live ON fastlane.tokens (name) WHERE revoked_at IS NULL;
