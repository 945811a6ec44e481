"""Scores of reports and justifications (S3 tasks 2 and 6)."""
