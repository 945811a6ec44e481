"""The small set of the tasks' tests with everything that the S3 tasks compare with."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from semiology.data.importers.outcome import LATERALITY_COLUMNS
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


@pytest.fixture
def s3_set(small_set: Path) -> Path:
    """Three recordings of 70 s: A1 and B1 with signs, A2 without any; B1 without sound."""
    write_annotations(small_set, ONSETS)
    with (small_set / "recordings.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["video_id", "patient_id", "video", "diagnosis"])
        for video_id, diagnosis in DIAGNOSES.items():
            writer.writerow([video_id, video_id[0], f"videos/{video_id}.mp4", diagnosis])
    with (small_set / "reports.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("video_id", "report"), *REPORTS.items()])
    with (small_set / "laterality.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([LATERALITY_COLUMNS, *LATERALITY])
    return small_set


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
