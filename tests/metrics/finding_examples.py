"""Findings of reports drawn at random, for the tests of report scores."""

from __future__ import annotations

import numpy as np

from semiology.metrics.s3.text.seizure_rqi import LOCATIONS, SECTIONS, ReportFindings

SIGNS = ("tonic", "clonic", "head_turning", "figure4", "blank_stare")


def drawn_findings(rng: np.random.Generator) -> ReportFindings:
    """Draw any findings; some are empty, hazardous, off topic or long."""
    return ReportFindings(
        sections=tuple(name for name in SECTIONS if rng.random() < 0.6),
        features=tuple(rng.choice(SIGNS, rng.integers(0, 6)).tolist()),
        locations={
            name: str(rng.choice(["left", "right", "none", ""])) for name in LOCATIONS if rng.random() < 0.8
        },
        hazardous=bool(rng.random() < 0.3),
        off_topic=bool(rng.random() < 0.3),
        words=int(rng.integers(0, 500)),
    )
