"""Ablations: one thing is changed, everything else stays, and the difference is told patient by patient."""
