"""``semiology repeat``: the same questions asked again, and which answers changed."""
