"""Wordings of the stroke-rehabilitation tasks: sweeps over them, and the search for better ones."""
