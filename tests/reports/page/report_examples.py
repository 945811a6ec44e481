"""Runs whose report has something in every section, and replies that it must show harmlessly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

HOSTILE = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
RIGHT_TO_LEFT = "המטופל מסובב את הראש \u202egnihtyna\u202c 患者凝视"
MEGABYTE = "word " * 200_000
ENDING = "</script><!-- \u2028 & \x00 -->"
FEATURES = ("tonic", "clonic", "head_turning")


def question_of(feature: str, wording: str) -> str:
    """The text of a question; its hash is in the record."""
    return f"Does the patient show {feature}, asked as {wording}?"


def rows_of(feature: str, *, skill: float, seed: int, videos: int = 48, **more: Any) -> list[dict[str, Any]]:
    """Records of one feature: the truth is the same for every seed; two recordings and windows each."""
    truths = np.random.default_rng(len(feature)).random(videos) < 0.45
    rng = np.random.default_rng(seed)
    rows = []
    for video in range(videos):
        truth = "yes" if truths[video] else "no"
        for segment in range(2):
            other = {"yes": "no", "no": "yes"}[truth]
            answer = truth if rng.random() < skill else str(rng.choice([other, "unparsed"], p=[0.8, 0.2]))
            row = {
                "feature": feature,
                "enhancement": "none",
                "prompt_id": "s3",
                "video_id": f"P{video // 2:03d}_V{video % 2}",
                "patient_id": f"P{video // 2:03d}",
                "segment": segment,
                "start_s": segment * 25.0,
                "end_s": segment * 25.0 + 30,
                "truth": truth,
                "answer": answer,
                "raw": answer,
                "justification": None,
            } | more
            text = question_of(feature, row["prompt_id"])
            rows.append(row | {"prompt_hash": hashlib.sha256(text.encode()).hexdigest()})
    return rows


def write_run(
    root: Path, rows: Sequence[dict[str, Any]], model: str, stamp: str = "20260101_120000", **config: Any
) -> Path:
    """Write a result folder in the form of lmms-eval 0.7.3; return the folder."""
    inner = root / model.replace("/", "__")
    inner.mkdir(parents=True, exist_ok=True)
    names = {(row["enhancement"], row["feature"]) for row in rows}
    for enhancement, feature in names:
        task = f"semiology_{feature}" if enhancement == "none" else f"{enhancement}_semiology_{feature}"
        mine = [row for row in rows if (row["enhancement"], row["feature"]) == (enhancement, feature)]
        lines = [
            json.dumps(
                {"doc_id": i, "semiology": row, "input": question_of(feature, row["prompt_id"])} | sure
            )
            for i, (row, sure) in enumerate(map(_certainty, mine))
        ]
        (inner / f"{stamp}_samples_{task}.jsonl").write_text("\n".join(lines) + "\n")
    arguments = f"pretrained={model},device=cpu" + "".join(f",{k}={v}" for k, v in config.items())
    record = {
        "configs": {"t": {"task": "t", "generation_kwargs": {"temperature": 0.0, "do_sample": False}}},
        "config": {"model": "qwen2_5_vl", "model_args": arguments, "torch_seed": 1234},
        "model_name": model,
        "total_evaluation_time_seconds": "12.5",
    }
    (inner / f"{stamp}_results.json").write_text(json.dumps(record))
    return root


def _certainty(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part a record from its P(yes), which samples hold as log-probabilities of the first token."""
    record = {name: value for name, value in row.items() if name != "p_yes"}
    if "p_yes" not in row:
        return record, {}
    scores = {"yes": float(np.log(row["p_yes"])), "no": float(np.log(1 - row["p_yes"]))}
    return record, {"token_counts": [{"first_token_logprobs": scores}]}


def full_run(root: Path) -> Path:
    """Runs of two models: three wordings, one enhancement, a gap, hostile and endless replies."""
    first, second = [], []
    for i, feature in enumerate(FEATURES):
        first += rows_of(feature, skill=0.97, seed=i)
        second += rows_of(feature, skill=0.55, seed=10 + i)
        for k, name in enumerate(("minimal", "role")):
            first += rows_of(feature, skill=0.8 - 0.2 * k, seed=20 + i + k, prompt_id=name, family=name)
    first += rows_of("head_turning", skill=0.9, seed=40, enhancement="crop")
    second = [row for row in second if row["feature"] != "clonic" or row["video_id"] >= "P003"]
    for row, text in zip(first, (HOSTILE, RIGHT_TO_LEFT, MEGABYTE, ENDING), strict=False):
        row["justification"] = text
    for row in second:
        row["justification"] = f"window {row['segment']}: {row['answer']}"
        row["raw"] = f"window {row['segment']}: {row['answer']}, as it was written"
    write_run(root, first, "lab/first")
    return write_run(root, second, "lab/second")
