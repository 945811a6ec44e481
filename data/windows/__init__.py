"""Segments of a recording, by the published protocols."""
