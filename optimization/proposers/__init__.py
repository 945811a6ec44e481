"""Where candidate wordings come from, and the rules they must keep."""
