"""Scores of the stroke-rehabilitation tasks: activities, primitives and doses, Fugl-Meyer items."""
