"""Three recordings annotated for the S3 tasks: A1 and B1 with features, A2 without any."""

from __future__ import annotations

import csv
from pathlib import Path

from semiology.features import FEATURES

ONSETS = {
    "A1": {"head_turning": 10.0, "tonic": 20.5, "clonic": 40.0},
    "B1": {"blank_stare": 3.0, "tonic": 3.0},
}
REPORTS = {
    "A1": "Forced head turning to the right, then tonic posturing, then clonic jerking.",
    "B1": "The patient shows a blank stare. There is tonic stiffening.",
}
DIAGNOSES = {"A1": "ES", "A2": "", "B1": "NES"}
LATERALITY = (
    ("A1", "right", "10", "16", "left", "20.5", "30", "head"),
    ("B1", "", "", "", "right", "4", "4.2", "eyes"),
)


def write_annotations(folder: Path, onsets: dict[str, dict[str, float]]) -> None:
    """Annotate all 20 features: those of ``onsets`` as present for 5 s, with a justification."""
    with (folder / "annotations.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["video_id", "feature", "present", "onset_s", "offset_s", "justification"])
        for video_id in DIAGNOSES:
            shown = onsets.get(video_id, {})
            for feature in FEATURES:
                times = (shown[feature], shown[feature] + 5) if feature in shown else ("", "")
                words = f"{feature} is seen." if feature in shown else ""
                writer.writerow([video_id, feature, "yes" if feature in shown else "no", *times, words])
