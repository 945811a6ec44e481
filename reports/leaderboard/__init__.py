"""Numbers that laboratories exchange: no recordings, no patients."""
