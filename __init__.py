"""Semiology: find out whether a multimodal language model can read seizure semiology from video."""

__version__ = "0.2.0"
