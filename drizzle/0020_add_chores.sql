-- Work that one node does for all of them every so often, whichever comes first.
CREATE TABLE fastlane.chores (
  name text PRIMARY KEY,
  last_at timestamptz NOT NULL
);
