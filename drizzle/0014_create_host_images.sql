-- Which images are at hand on a host, as its owner saw them last: short names with tag or digest.
CREATE TABLE fastlane.host_images (
  host text NOT NULL REFERENCES fastlane.hosts (name) ON DELETE CASCADE,
  image text NOT NULL,
  PRIMARY KEY (host, image)
);
