"""A small release in the layout of the normalised S3 tables, by a model that nobody has published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

MODEL = "brand-new-omni"
LOOP = "tonic, clonic, " * 2500
REPORT_COLUMNS = (
    "sections", "report_sequence", "loc_head_turning", "loc_first_motor_laterality",
    "loc_asymmetric_posturing", "loc_figure_4", "has_safety_issues", "includes_non_seizure", "report_length",
)  # fmt: skip
FOUND = ("onset|propagation", "tonic|clonic", "left", "right", "none", "none", "0", "0", "10")
VIDEOS = ("P001_V01", "P001_V02", "P002_V01", "P003_V01")


def write_release(folder: Path) -> Path:
    """Write truths, and answers of `MODEL` with every kind of bad reply; return the folder."""
    _truths(folder / "ground_truth")
    _answers(folder / "predictions")
    return folder


def _truths(folder: Path) -> None:
    signs = {"tonic": ("yes", "no", "yes", "no"), "verbal_responsiveness": ("na", "yes", "no", "yes")}
    _write(folder / "videos", {"video_id": VIDEOS, "patient_id": [v[:4] for v in VIDEOS],
                               "diagnosis": ("ES", "NES", "ES", "sample"), "fold": ("0", "0", "1", ""),
                               "test_patient": ("1", "1", "0", "1")})  # fmt: skip
    rows = [(v, v[:4], s, signs[s][i], "", "") for i, v in enumerate(VIDEOS) for s in signs]
    names = ("video_id", "patient_id", "feature", "present", "onset_s", "offset_s")
    _write(folder / "annotations", dict(zip(names, zip(*rows, strict=True), strict=True)))
    sides = {
        "head_turning_side": ("left", "right ", "right", "N/A"),
        "arm_movement_side": ("left", "right", "", "left"),
        "onset_region": ("head", "arms", "amrs", "N/A"),
    }
    _write(folder / "laterality", {"video_id": VIDEOS, **sides})
    timed = {"video_id": (*VIDEOS[:3], VIDEOS[0]), "feature": ("tonic",) * 3 + ("start",)}
    _write(folder / "task4_targets", {**timed, "target_s": ("30", "30", "12", "30")})
    variants = ("visual", "visual", "audiovisual", "audiovisual")
    orders = {"variant": variants, "sequence": ("tonic, clonic", "tonic") * 2}
    _write(folder / "sequences", {"video_id": VIDEOS[:2] * 2, **orders})
    texts = ("Tonic, then clonic.", "Tonic stiffening.", "Blank stare.", "Nothing is seen.")
    _write(folder / "reports", {"video_id": VIDEOS, "report": texts, **_found(4)})


def _answers(folder: Path) -> None:
    three = VIDEOS[:3]
    _write(
        folder / "task1_video",
        _said(three, tonic=("yes", "yes", ""), verbal_responsiveness=("na", "yes", "fail")),
    )
    _write(folder / "task2_scores", {**_said(three), "scope": ("whole",) * 3, "tonic": ("1.0", "0.0", "0.7")})
    items = ("head_turning",) * 3 + ("onset_region",) * 2
    sides = ("left", "right", "both sides", "head", "torso")
    _write(folder / "task3", _said((*three, *VIDEOS[:2]), item=items, answer=sides))
    _write(folder / "task4", _said((*three, VIDEOS[0]), feature=("tonic",) * 3 + ("start",),
                                   timestamp=("00:20", "1:75", "-3", "left " * 20_000)))  # fmt: skip
    _write(folder / "task5", _said(three, sequence=(LOOP, "", "tonic")))
    texts = ("Tonic. " * 5000, "患者凝视。", '{"report": "')
    _write(folder / "task6", _said(three, report=texts) | _found(3))
    _write(
        folder / "task7", _said(three, with_report=("ES", "NES", "perhaps"), without_report=("ES", "ES", ""))
    )


def _said(videos: Sequence[str], **columns: Sequence[str]) -> dict[str, Sequence[str]]:
    return {"model": (MODEL,) * len(videos), "video_id": videos, **columns}


def _found(rows: int) -> dict[str, Sequence[str]]:
    return {name: (value,) * rows for name, value in zip(REPORT_COLUMNS, FOUND, strict=True)}


def _write(path: Path, columns: Mapping[str, Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(columns).to_csv(path.with_name(f"{path.name}.csv.gz"), index=False)


def expect(folder: Path, rows: Sequence[tuple[str, ...]]) -> None:
    """Write the table of published cells."""
    names = ("source", "table", "scope", "task", "model", "item", "metric", "value")
    pd.DataFrame(rows, columns=names).to_csv(folder / "expected_metrics.csv.gz", index=False)
