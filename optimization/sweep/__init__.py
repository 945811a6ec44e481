"""``semiology sweep``: the same segments in many wordings."""
