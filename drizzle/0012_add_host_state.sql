-- What holds for a host whoever owns it: in its row, so that it is the same on all nodes and over
-- restarts.
ALTER TABLE fastlane.hosts
  -- Nothing new is given to a blacklisted host.
  ADD COLUMN blacklisted_at timestamptz,
  -- What still runs there at this time is given up; NULL waits for ever.
  ADD COLUMN drain_deadline timestamptz,
  -- The circuit breaker: nothing new goes there unless it is closed.
  ADD COLUMN circuit text NOT NULL DEFAULT 'closed'
    CHECK (circuit IN ('closed', 'open', 'half-open')),
  -- Failures in a row.
  ADD COLUMN failures int NOT NULL DEFAULT 0 CHECK (failures >= 0),
  ADD COLUMN next_probe_at timestamptz,
  -- Since when no owner has got an answer; NULL when the last one did.
  ADD COLUMN unreachable_since timestamptz,
  -- Since when nobody has held the lease, where it was given back.
  ADD COLUMN released_at timestamptz NOT NULL DEFAULT now(),
  ADD CONSTRAINT hosts_drained_are_blacklisted CHECK (
    drain_deadline IS NULL OR blacklisted_at IS NOT NULL
  ),
  ADD CONSTRAINT hosts_probed_iff_not_closed CHECK (
    (next_probe_at IS NULL) = (circuit = 'closed')
  );

-- Nodes with the same hosts share these out among themselves.
ALTER TABLE fastlane.nodes ADD COLUMN farm text NOT NULL DEFAULT '';

ALTER TABLE fastlane.executions
  -- See the job's rules; its own copy, as it was when the execution was made.
  ADD COLUMN on_host_lost text NOT NULL DEFAULT 'fail' CHECK (on_host_lost IN ('fail', 'rerun')),
  -- Where it could not begin or was lost: it goes elsewhere, if there is anywhere else.
  ADD COLUMN avoids_host text;
