"""Simulated ward recordings whose truth is exactly known.

The figure is a drawing and the sounds are synthesised: good for tests, demonstrations and for training the
very small embedded model. Nothing here says anything about how a model reads real patients.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def simulate(directory: Path, **settings: Any) -> None:
    """Write a simulated recording set; settings as of :func:`semiology.data.simulated.write.simulate`."""
    # Imported late: drawing and encoding libraries are not needed to import the package.
    from semiology.data.simulated.write import simulate as write

    write(directory, **settings)
