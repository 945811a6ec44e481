"""Environments in which models are served for tests; not installed."""
