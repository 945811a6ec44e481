"""Opaque ids, scrubbed texts and media without metadata."""
