-- On a swarm a container is a service, and its id is the service's.
ALTER TABLE fastlane.executions DROP CONSTRAINT executions_container_id_check;
ALTER TABLE fastlane.executions ADD CONSTRAINT executions_container_id_check CHECK (
  container_id ~ '^([0-9a-f]{64}|[a-z0-9]{25})$'
);
