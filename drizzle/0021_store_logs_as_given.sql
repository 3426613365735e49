-- They come compressed where that is of use, by a better means than the server's own, which would
-- take its time to find nothing more to gain.
ALTER TABLE fastlane.log_chunks
  ALTER COLUMN index SET STORAGE EXTERNAL,
  ALTER COLUMN data SET STORAGE EXTERNAL;
