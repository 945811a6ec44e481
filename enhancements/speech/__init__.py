"""Transcripts: written, read and quoted in prompts."""
