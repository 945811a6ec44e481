"""``semiology power``: patients needed to see a difference."""
