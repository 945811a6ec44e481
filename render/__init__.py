"""Words, help and progress for people."""
