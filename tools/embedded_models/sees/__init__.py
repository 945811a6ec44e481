"""Training of the embedded model that sees."""
