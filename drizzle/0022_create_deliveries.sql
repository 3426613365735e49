-- Webhooks of the configuration, for all tasks or those that match: what the node that started last
-- was configured with, so that whatever transaction writes an end finds them.
CREATE TABLE fastlane.service_webhooks (
  position int PRIMARY KEY CHECK (position >= 0),
  -- A regular expression on the task id; '' is all.
  match text NOT NULL,
  events text[] NOT NULL,
  request jsonb NOT NULL
);

-- The outbox: who is to be told of what, written in the transaction that it tells of.
CREATE TABLE fastlane.deliveries (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  execution_id uuid NOT NULL REFERENCES fastlane.executions (id) ON DELETE CASCADE,
  event text NOT NULL CHECK (event IN ('starts', 'succeeds', 'fails', 'finishes')),
  kind text NOT NULL CHECK (kind IN ('webhook', 'mail')),
  -- Whose it is, and the how manieth of those: nobody is told twice of one event.
  source text NOT NULL CHECK (source IN ('job', 'service')),
  position int NOT NULL CHECK (position >= 0),
  -- A URL or an address.
  target text NOT NULL,
  -- Who is asked to take it: a URL's host and port; all mails go by one server.
  receiver text NOT NULL GENERATED ALWAYS AS (
    CASE kind WHEN 'mail' THEN '' ELSE coalesce(lower(substring(target FROM '://([^/?#]*)')), '') END
  ) STORED,
  -- Of a webhook: method, headers, secret.
  request jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'dead')),
  -- How often it was taken up, and how often it may be.
  tries int NOT NULL DEFAULT 0 CHECK (tries >= 0),
  max_tries int NOT NULL CHECK (max_tries > 0),
  -- When it is due. While it is being sent, when it is taken to have been forgotten.
  due_at timestamptz DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (execution_id, event, kind, source, position),
  CONSTRAINT deliveries_due_iff_waiting CHECK ((due_at IS NOT NULL) = (status = 'waiting'))
);
CREATE INDEX deliveries_due ON fastlane.deliveries (due_at) WHERE status = 'waiting';

-- The ledger: what came of each try.
CREATE TABLE fastlane.delivery_attempts (
  delivery_id uuid NOT NULL REFERENCES fastlane.deliveries (id) ON DELETE CASCADE,
  try int NOT NULL CHECK (try > 0),
  at timestamptz NOT NULL,
  duration_ms int NOT NULL CHECK (duration_ms >= 0),
  ok boolean NOT NULL,
  -- Of HTTP or SMTP, where there was an answer.
  code int,
  -- Its first 2 KiB.
  answer text NOT NULL,
  error text,
  PRIMARY KEY (delivery_id, try),
  CONSTRAINT delivery_attempts_error_iff_not_ok CHECK (ok = (error IS NULL))
);
