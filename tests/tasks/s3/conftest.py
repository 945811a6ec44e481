"""The small set of the tasks' tests with everything that the S3 tasks compare with."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # lets tests import `s3_example_set`

from s3_example_set import DIAGNOSES, LATERALITY, ONSETS, REPORTS, write_annotations

from semiology.data.tables.laterality import LATERALITY_COLUMNS


@pytest.fixture
def s3_set(small_set: Path) -> Path:
    """Three recordings of 70 s: A1 and B1 with features, A2 without any; B1 without sound."""
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
