"""Intervals, bootstrap, sign-flip, McNemar and equivalence tests, all by patient."""
