"""The S3 group inside lmms-eval: a model that knows the truth, and one that never answers the question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lmms_eval.api.instance import GenerationResult, TokenCounts
from lmms_eval.api.model import lmms
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager
from s3_example_set import ONSETS, REPORTS

from semiology.harness.plugin import add_tasks
from semiology.tasks.s3.records import RECORD
from semiology.tasks.s3.task_list import MEASURES, TASKS

pytestmark = pytest.mark.usefixtures("one_task_index")


class Scripted(lmms):
    """Answers each question from its row of the question table."""

    is_simple = False

    def __init__(self, knows: bool) -> None:
        super().__init__()
        self.knows = knows

    def generate_until(self, requests: list[Any]) -> list[GenerationResult]:
        return [self._answer(*request.args) for request in requests]

    def _answer(
        self, text: str, messages: Any, settings: Any, doc_id: int, task: str, split: str
    ) -> GenerationResult:
        row = self.task_dict[task][split][doc_id]
        reply = _truth(row) if self.knows else "I am sorry, what a lovely video."
        return GenerationResult(text=reply, token_counts=TokenCounts(output_tokens=1))

    def loglikelihood(self, requests: Any) -> Any:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: Any) -> Any:
        raise NotImplementedError


def _truth(row: dict[str, Any]) -> str:
    """Return a reply that tells the truth as far as the window shows it."""
    kind = TASKS[row["task"]].answer
    if kind == "justification":
        return json.dumps(
            {"answer": row["truth"], "justification": row["reference"] or "Nothing of it is seen."}
        )
    if kind == "time":
        return json.dumps({"timestamp": f"00:{row['truth']:04.1f}"})
    if kind == "sequence":
        times = zip(row["truth"], row["onsets_s"], strict=True)
        return ", ".join(sign for sign, onset in times if row["start_s"] <= onset < row["end_s"]) or "none"
    return str(row["truth"])


def evaluate(tasks: list[str], *, knows: bool) -> dict[str, Any]:
    add_tasks()
    manager = TaskManager(include_defaults=False)
    return dict(
        simple_evaluate(
            model=Scripted(knows),
            model_args="pretrained=scripted",
            tasks=manager.match_tasks(tasks),
            task_manager=manager,
            bootstrap_iters=0,
            process_docs_parallel=1,
        )
    )


PERFECT = {
    "s3_justification": {"f1": 1.0, "interpretation": 1.0, "rouge_l": 1.0, "references": 5.0},
    "s3_head_turning_side": {"accuracy": 1.0, "right_f1": 1.0, "always_left_accuracy": 0.0},
    "s3_arm_movement_side": {"accuracy": 1.0, "macro_f1": 1.0, "always_right_accuracy": 0.5},
    "s3_onset_region": {"accuracy": 1.0, "macro_f1": 1.0, "best_constant_accuracy": 0.5},
    "s3_onset_time": {
        "mae_centred": 0.0,
        "mae_random": 0.0,
        "charged_mae_random": 0.0,
        "hit_5s_centred": 1.0,
    },
    "s3_seizure_start": {"mae_centred": 0.0, "mae_random": 0.0, "always_middle_mae_centred": 23.5},
    "s3_seizure_end": {"mae_centred": 0.0, "hit_5s_random": 1.0},
    "s3_sequence": {"lcs_f1": 1.0, "edit_distance": 0.0, "relation_f1": 1.0, "position_share": 1.0},
    "s3_report": {"rouge_l": 1.0, "stated_findings": 100.0},
    "s3_diagnosis": {"f1": 1.0, "balanced_accuracy": 1.0, "mcc": 1.0, "always_ES_f1": 2 / 3},
    "s3_diagnosis_with_report": {"f1": 1.0, "accuracy": 1.0},
}


def test_who_knows_the_truth_has_every_best_figure(s3_set: Path) -> None:
    results = evaluate(["s3"], knows=True)["results"]
    assert set(results) - {"s3"} == set(TASKS) == set(PERFECT)
    for task, figures in PERFECT.items():
        found = {name: results[task][f"{name},none"] for name in figures}
        assert found == pytest.approx(figures, abs=0.06), task  # times are written in tenths
        assert results[task]["unparsed_rate,none"] == 0.0


def test_who_never_answers_is_unparsed_everywhere_and_never_a_no(s3_set: Path) -> None:
    output = evaluate(["s3_*"], knows=False)
    for task in set(TASKS) - {"s3_report"}:  # any words are a report
        assert output["results"][task]["unparsed_rate,none"] == 1.0, task
        assert all(sample[RECORD]["unparsed"] for sample in output["samples"][task])
    assert output["results"]["s3_justification"]["f1,none"] == 0.0
    assert output["results"]["s3_onset_time"]["mae_random,none"] == "undefined"
    assert output["results"]["s3_onset_time"]["charged_mae_random,none"] > 30
    assert output["results"]["s3_report"]["rouge_l,none"] < 0.2


def test_the_sample_carries_the_whole_record_once(s3_set: Path) -> None:
    samples = evaluate(["s3_report"], knows=True)["samples"]["s3_report"]
    assert [sample[RECORD]["segment"] for sample in samples] == [0, 1, 2, 0, 1, 2]
    record = samples[0][RECORD]
    for name, value in {
        "task": "s3_report", "video_id": "A1", "patient_id": "A", "start_s": 0.0, "end_s": 30.0,
        "prompt_id": "s3", "enhancement": "none", "truth": REPORTS["A1"], "answer": REPORTS["A1"],
        "raw": REPORTS["A1"], "shown": sorted(ONSETS["A1"], key=ONSETS["A1"].__getitem__),
    }.items():  # fmt: skip
        assert record[name] == value
    assert len(record["prompt_hash"]) == 64
    assert {samples[0][name] for name in MEASURES["report"]} == {"s3_report/report/A1/None/0"}
