"""Enhancements of a recording's signal: derived media or text, cached and inspectable."""
