"""Confusion counts, classification scores and recording answers, from arrays."""
