"""The two small checkpoints that the package carries: one sees, one hears."""
