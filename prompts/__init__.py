"""Wordings and answer formats of the questions: data in YAML, read and rendered by :mod:`.library`."""
