"""``semiology compare``: two sides on the recordings that both answered."""
