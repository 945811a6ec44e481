"""Faces: found, followed and cropped."""
