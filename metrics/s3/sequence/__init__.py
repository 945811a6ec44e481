"""Scores of the order of signs (S3 task 5)."""
