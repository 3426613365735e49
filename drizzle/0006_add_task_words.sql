-- The words of a task's id, for the search by whole words.
ALTER TABLE fastlane.tasks ADD COLUMN words text[] NOT NULL DEFAULT '{}';
UPDATE fastlane.tasks
SET words = array_remove(regexp_split_to_array(lower(id), '[^[:alnum:]]+'), '');
CREATE INDEX tasks_by_word ON fastlane.tasks USING gin (words);
