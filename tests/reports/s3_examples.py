"""Records of the S3 tasks as lmms-eval logs them, and result folders that hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

KINDS = {
    "s3_justification": "justification",
    "s3_head_turning_side": "side",
    "s3_arm_movement_side": "side",
    "s3_onset_region": "region",
    "s3_onset_time": "time",
    "s3_seizure_start": "time",
    "s3_seizure_end": "time",
    "s3_sequence": "sequence",
    "s3_report": "report",
    "s3_diagnosis": "diagnosis",
    "s3_diagnosis_with_report": "diagnosis",
}
REPORT = "The head turns to the left. Then tonic stiffening of the right arm and clonic jerks of both arms."


def record(task: str, video: int, answer: Any, truth: Any, **more: Any) -> dict[str, Any]:
    """A record as the tasks write it; two recordings per patient."""
    written = {
        "task": task,
        "kind": KINDS[task],
        "feature": task.removeprefix("s3_"),
        "enhancement": "none",
        "prompt_id": "s3",
        "prompt_hash": "ab" * 32,
        "video_id": f"v{video:03d}",
        "patient_id": f"p{video // 2:03d}",
        "segment": 0,
        "start_s": 0.0,
        "end_s": 30.0,
        "clip_form": None,
        "truth": truth,
        "answer": answer,
        "unparsed": answer in (None, "unparsed"),
        "raw": str(answer),
    }
    return written | more


def all_tasks(videos: int = 24) -> list[dict[str, Any]]:
    """Records of all tasks by a model that is right on even recordings and unread on every fifth."""
    made: list[dict[str, Any]] = []
    for video in range(videos):
        right, unread = video % 2 == 0, video % 5 == 4
        side = "left" if video % 3 else "right"
        other = {"left": "right", "right": "left"}[side]
        said = "unparsed" if unread else side if right else other
        for task in ("s3_head_turning_side", "s3_arm_movement_side"):
            made.append(record(task, video, said, side))
        region = ("head", "arms", "left arm")[video % 3]
        made.append(
            record("s3_onset_region", video, "unparsed" if unread else region if right else "head", region)
        )
        for form, target in (("centred", 30.0), ("random", float(video % 7) * 8)):
            seconds = None if unread else target if right else 12.0
            for task, signs in (("s3_onset_time", ("tonic", "clonic")), ("s3_seizure_start", ("start",)),
                                ("s3_seizure_end", ("end",))):  # fmt: skip
                for sign in signs:
                    made.append(record(task, video, seconds, target, feature=sign, clip_form=form))
        truth = ["head_turning", "tonic", "clonic"]
        signs_said = None if unread else truth if right else ["clonic", "dancing"]
        made.append(record("s3_sequence", video, signs_said, truth, onsets_s=[1.0, 5.0, 9.0]))
        for segment, text in enumerate((REPORT, None if unread else "Clonic jerks of both arms.")):
            made.append(record("s3_report", video, text, REPORT, shown=truth, segment=segment))
        diagnosis = "ES" if video % 3 else "NES"
        for task in ("s3_diagnosis", "s3_diagnosis_with_report"):
            made.append(record(task, video, "unparsed" if unread else "ES", diagnosis))
        made += _justified(video, right=right, unread=unread)
    return made


def _justified(video: int, *, right: bool, unread: bool) -> list[dict[str, Any]]:
    made = []
    for sign in ("tonic", "oral_automatisms"):
        truth = "yes" if video % 3 else "no"
        answer = "unparsed" if unread else truth if right else "yes"
        reference = "Sustained tonic stiffening of the right arm." if truth == "yes" else None
        text = "The right arm is stiff." if answer == "yes" else None
        made.append(
            record(
                "s3_justification",
                video,
                answer,
                truth,
                feature=sign,
                justification=text,
                reference=reference,
            )
        )
    return made


def write_s3_run(
    root: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    model: str = "Qwen/Qwen2.5-VL-7B",
    stamp: str = "20260101_120000",
    metadata: Mapping[str, Any] | None = None,
) -> Path:
    """Write a result folder in the form of lmms-eval 0.7.3; return the folder."""
    inner = root / model.replace("/", "__")
    inner.mkdir(parents=True, exist_ok=True)
    tasks = sorted({str(row["task"]) for row in rows})
    for task in tasks:
        lines = [json.dumps({"doc_id": i, "s3": row}) for i, row in enumerate(rows) if row["task"] == task]
        (inner / f"{stamp}_samples_{task}.jsonl").write_text("\n".join(lines) + "\n")
    content = {
        "results": {task: {} for task in tasks},
        "configs": {task: {"task": task, "metadata": dict(metadata or {})} for task in tasks},
        "n-samples": {task: {"effective": sum(row["task"] == task for row in rows)} for task in tasks},
        "config": {"model": "qwen2_5_vl", "model_args": f"pretrained={model}"},
        "model_name": model,
    }
    (inner / f"{stamp}_results.json").write_text(json.dumps(content))
    return root
