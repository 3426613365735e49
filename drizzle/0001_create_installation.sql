-- The one row that names this installation: its containers carry the id as a label, so that
-- several installations can share a Docker host without touching each other's.
CREATE TABLE fastlane.installation (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO fastlane.installation DEFAULT VALUES;
