"""Reporting checklists, filled in from what was recorded."""
