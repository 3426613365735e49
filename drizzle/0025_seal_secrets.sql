-- Variables and what is secret of webhooks are sealed by a key that every node has and no row. Nodes
-- of versions before read clear text alone: nothing is sealed as long as one of them is alive.
ALTER TABLE fastlane.installation
  -- By what the key is known that seals; NULL before the first node with one has started.
  ADD COLUMN secret_key_check text,
  -- Whether rows are sealed. It stays so.
  ADD COLUMN seals boolean NOT NULL DEFAULT false;
ALTER TABLE fastlane.nodes ADD COLUMN opens_sealed boolean NOT NULL DEFAULT false;

-- A node of a version before that was taken for gone must not come back.
CREATE FUNCTION fastlane.refuse_node_that_opens_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT seals FROM fastlane.installation) THEN
    RAISE EXCEPTION 'rows are sealed by now, which this version of fastlane cannot open';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER nodes_open_what_is_sealed BEFORE INSERT OR UPDATE ON fastlane.nodes
  FOR EACH ROW WHEN (NOT NEW.opens_sealed) EXECUTE FUNCTION fastlane.refuse_node_that_opens_nothing();

-- What is still to be sealed: empty before long, so that looking for it costs nothing.
CREATE INDEX jobs_with_clear_envs ON fastlane.jobs (id)
  WHERE request -> 'envs' <> '{}' AND NOT (request -> 'envs') ? '';
CREATE INDEX jobs_with_clear_webhooks ON fastlane.jobs (id)
  WHERE rules @? '$.webhooks.*[*] ? (exists (@.secret) || exists (@.headers))';
CREATE INDEX executions_with_clear_envs ON fastlane.executions (id)
  WHERE request -> 'envs' <> '{}' AND NOT (request -> 'envs') ? '';
CREATE INDEX deliveries_with_clear_request ON fastlane.deliveries (id)
  WHERE request ?| '{secret,headers}'
    OR (source = 'service' AND kind = 'webhook' AND NOT request ?| '{webhook,sealed}');
