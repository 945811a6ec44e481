"""``semiology serve-jsonl``: questions for another program."""
