"""Scores of S3 tasks 2 to 7."""
