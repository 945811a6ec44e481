"""Paired comparison of two models and its power."""
