"""Training of the embedded model that hears."""
