"""The published prompt optimization, run again."""
