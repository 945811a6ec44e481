"""Simulated ward recordings whose truth is exactly known.

The figure is a drawing and the sounds are synthesized: good for tests, demonstrations and for training the
very small embedded model. Nothing here says anything about how a model reads real patients.
"""

from semiology.data.simulated.write import simulate

__all__ = ["simulate"]
