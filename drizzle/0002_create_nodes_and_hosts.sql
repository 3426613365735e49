-- A node is one running fastlane process.
CREATE TABLE fastlane.nodes (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  version text NOT NULL,
  -- Which process of which machine it is, so that a neighbour can see that it is gone.
  process text NOT NULL,
  -- The name under which the node's queue runner locks its messages; unlocked when the node is gone.
  queue_pool_id text,
  started_at timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now()
);

-- A host is one Docker endpoint, under the name that the configuration gives it.
CREATE TABLE fastlane.hosts (
  name text PRIMARY KEY,
  -- The lease: the one node that may make Docker calls there, and until when. The fence grows with
  -- every new owner, so that a former one finds its writes refused.
  lease_node uuid,
  lease_expires_at timestamptz,
  fence bigint NOT NULL DEFAULT 0 CHECK (fence >= 0),
  -- What the owner found; null until it has been reached once.
  reachable boolean NOT NULL DEFAULT false,
  last_seen_at timestamptz,
  engine_version text,
  last_error text,
  CONSTRAINT hosts_lease_is_whole CHECK ((lease_node IS NULL) = (lease_expires_at IS NULL))
);
