"""The bare ``lmms_eval`` command: its names, its last table, its list of models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from semiology.harness.class_source import OWN_CLASSES
from semiology.harness.console_script import checked
from semiology.harness.preflight import PreflightError
from semiology.harness.printed_table import closing_line, feature_table, few_measures


def results_of(f1: float | str, always_yes: float = 0.4) -> dict[str, Any]:
    """lmms-eval's measures of a feature task."""
    return {
        "f1,none": f1,
        "always_yes_f1,none": always_yes,
        "balanced_accuracy,none": 0.7,
        "unparsed_rate,none": 0.05,
    }


def lines_of(table: str) -> dict[str, list[str]]:
    """The cells of each printed row by the name of the row."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table.splitlines() if "│" in line]
    return {row[0]: row[1:] for row in rows}


def test_one_line_a_feature_and_the_mean_of_each_group() -> None:
    rows = lines_of(
        feature_table(
            {
                "semiology_tonic": results_of(0.5),
                "semiology_clonic": results_of(0.8, 0.2),
                "semiology_face_pulling": results_of("undefined"),
                "semiology_ictal_vocalization": results_of(0.9),
                "pose_semiology_tonic": results_of(0.6),
            }
        )
    )
    assert rows["tonic"] == ["0.50", "0.40", "0.70", "5%"]
    assert rows["face pulling"][0] == "–"
    assert rows["tonic, pose"][0] == "0.60"
    assert rows["mean of 2 of 3 visual features"][:2] == ["0.65", "0.33"]
    assert not any("sound" in name for name in rows)


def test_other_tasks_are_printed_as_lmms_eval_does() -> None:
    seen: list[list[str]] = []

    def original(results: dict[str, Any], column: str = "results") -> str:
        seen.append(sorted(results[column]))
        return "ORIGINAL"

    printed = few_measures(original)({"results": {"semiology_tonic": results_of(0.5), "mme": {}}})
    assert seen == [["mme"]]
    assert "ORIGINAL" in printed
    assert "tonic" in printed
    assert few_measures(original)({"results": {"mme": {}}}) == "ORIGINAL"


def test_the_last_line_names_the_command_with_the_folder() -> None:
    assert closing_line(["lmms_eval", "--output_path", "out/a", "--log_samples"]).endswith(
        "semiology report out/a"
    )
    assert closing_line(["lmms_eval", "--log_samples", "--output_path=out/a"]).endswith(
        "semiology report out/a"
    )
    assert "--log_samples" in closing_line(["lmms_eval", "--output_path", "out/a"])


def test_embedded_stands_for_its_class() -> None:
    words = checked(["--model=embedded", "--tasks", "semiology_tonic", "--model_args", "dtype=float32"])
    assert words[:2] == ["--model", "semiology_hf"]
    arguments = words[words.index("--model_args") + 1]
    assert arguments.startswith("pretrained=")
    assert arguments.endswith(",dtype=float32")
    others = ["--model", "llava", "--tasks", "mme"]
    assert checked(others) == others


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        (["--model", "embeded", "--tasks", "semiology_*"], "embedded"),
        (["--model", "semiology_constant", "--tasks", "semiology_tonik"], "semiology_tonic"),
        (["--model=qwen2_5_vl", "--model_args=pretraned=x", "--tasks=semiology"], "pretrained"),
    ],
)
def test_misspelt_names_are_told(words: list[str], nearest: str) -> None:
    with pytest.raises(PreflightError, match=f"did you mean '{nearest}'"):
        checked(words)


@pytest.mark.slow
def test_the_list_of_models_holds_ours() -> None:
    command = [str(Path(sys.executable).with_name("lmms_eval")), "models"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert set(OWN_CLASSES) <= {line.split()[0] for line in listed.splitlines() if line.strip()}
