"""How much an answer depends on the wording."""
