"""Sheets as hospitals keep them, and a template for those who have none, made into a recording set."""
