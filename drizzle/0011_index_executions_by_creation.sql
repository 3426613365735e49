-- Lists of executions, newest first, of all tasks and of one.
CREATE INDEX executions_by_creation ON fastlane.executions (created_at DESC, id DESC);
CREATE INDEX executions_by_task ON fastlane.executions (task_id, created_at DESC, id DESC);
