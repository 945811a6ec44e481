"""A language model that reads the texts of finished runs (S3 tasks 2 and 6), and one that merges them."""
