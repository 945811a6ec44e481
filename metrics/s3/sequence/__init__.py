"""Scores of the order of features (S3 task 5)."""
