"""Justifications rated by epileptologists: sheet, local page, ratings read back."""
