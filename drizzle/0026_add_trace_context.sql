-- The trace that an execution belongs to, after W3C Trace Context. NULL where none is told of, and in
-- the rows of a node that knows of none.
ALTER TABLE fastlane.executions
  -- The span that caused it; its own where nobody's trace goes on in it.
  ADD COLUMN traceparent text CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$'),
  ADD COLUMN tracestate text CHECK (length(tracestate) <= 512),
  -- When the request came in that it was made by; NULL where no request did.
  ADD COLUMN traced_from timestamptz;
-- Of the request that made the job: what its schedule and retries make later refers to it.
ALTER TABLE fastlane.jobs
  ADD COLUMN traceparent text CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$');
