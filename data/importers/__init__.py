"""Importers of published annotation layouts."""
