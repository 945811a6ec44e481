"""From a reply to an S3 task to its answer."""
