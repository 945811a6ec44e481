"""lmms-eval tasks that ask about the same segments under every wording of the prompt library."""
