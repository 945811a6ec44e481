"""The seam to lmms-eval: plug-in, checks before a run, runs, scheduling."""
