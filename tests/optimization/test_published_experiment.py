"""The published experiment as a named configuration, on the synthetic model."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from synthetic import SyntheticModel, examples, rules, truths
from test_optimize import key, make_plan, offline

from semiology.optimization.proposers.grammar_walk import OfflineProposer
from semiology.optimization.published.experiment import (
    cautions,
    divided,
    print_published,
    published_prompts,
    run_published,
    single_task_search,
)
from semiology.optimization.search.asking import AnswerBook
from semiology.optimization.search.options import SearchError, SearchOptions
from semiology.optimization.search.setup import Prepared
from semiology.tasks.plan import Plan


def test_twelve_calls_on_eight_recordings_try_a_single_rewrite() -> None:
    train = examples(40, "a", feature="arm_flexion")
    model = SyntheticModel(truths(train), of=lambda text: 0.7)
    book = AnswerBook(model)
    kept = rules("arm_flexion")
    begin = published_prompts()["arm_flexion"]["minimal"]
    _, calls = single_task_search(begin, train, book, kept, OfflineProposer(kept), 0)
    asked = [question for call in model.calls for question in call]
    assert len({question.text for question in asked}) == 2
    assert len({question.video_id for question in asked}) == 8
    of = truths(train)
    assert sum(of[name] == "yes" for name in {question.video_id for question in asked}) == 4
    assert 12 <= calls <= 24  # GEPA looks at its budget between steps


def test_every_fold_selects_on_development_and_reports_that_prompts_test_row(tmp_path: Path) -> None:
    features = tuple(published_prompts())
    plan = make_plan(patients=40, features=features)
    model = SyntheticModel({each.video_id: each.present for each in plan.recording_set.annotations})
    summary = _run(plan, tmp_path / "run", model)
    assert json.loads((tmp_path / "run" / "summary.json").read_text()) == summary
    assert len(summary["rows"]) == 4 * 3
    for row in summary["rows"]:
        assert len(row["scores"]) == 8
        best = max(each["development"]["f1"] for each in row["scores"].values())
        assert row["scores"][row["selected"]]["development"]["f1"] == best
        assert row["test"] == row["scores"][row["selected"]]["test"]
        assert row["always_yes_f1"] == pytest.approx(_always_yes(plan, row))
    assert [each["feature"] for each in summary["features"]] == list(features)
    first = summary["features"][0]
    folds = [row for row in summary["rows"] if row["feature"] == first["feature"]]
    assert first["always_yes_f1"] == pytest.approx(sum(row["always_yes_f1"] for row in folds) / 4)
    console = Console(file=io.StringIO(), width=80)
    print_published(summary, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"{first['test_f1']:.3f}" in shown
    assert f"{first['always_yes_f1']:.3f}" in shown
    assert "…" not in shown
    assert all(each["feature"] in shown for each in summary["features"])
    assert all(shown.count(name) >= 1 for each in summary["features"] for name in each["selected"])
    assert max(map(len, shown.splitlines())) <= 80


def _always_yes(plan: Plan, row: dict[str, Any]) -> float:
    fold_of = {each.video_id: each.fold for each in plan.recording_set.recordings}
    truths = [
        each.present
        for each in plan.recording_set.annotations
        if each.feature == row["feature"] and fold_of[each.video_id] == row["fold"]
    ]
    assert len(truths) == row["test_recordings"]
    return 2 * truths.count("yes") / (len(truths) + truths.count("yes"))


def _run(plan: Plan, out: Path, model: SyntheticModel, **changed: Any) -> dict[str, Any]:
    options = SearchOptions("synthetic", Path("set"), out, preset="published", **changed)
    return run_published(options, Prepared(plan, model, key, "synthetic", offline))


def test_the_same_folder_goes_on_and_takes_no_other_data(tmp_path: Path) -> None:
    plan = make_plan(patients=40, features=tuple(published_prompts()))
    of = {each.video_id: each.present for each in plan.recording_set.annotations}
    first = _run(plan, tmp_path / "run", SyntheticModel(of))
    again = SyntheticModel(of)
    second = _run(plan, tmp_path / "run", again)
    assert again.calls == []
    assert first["rows"] == second["rows"]
    openings = json.loads((tmp_path / "run" / "test_openings.json").read_text())
    assert len(openings) == len(first["rows"])
    before = (tmp_path / "run" / "summary.json").read_bytes()

    marked = plan.recording_set.annotations[0]
    other = replace(marked, present="no" if marked.present == "yes" else "yes")
    relabelled = replace(plan.recording_set, annotations=(other, *plan.recording_set.annotations[1:]))
    windows = replace(plan, window=replace(plan.window, window_s=60.0))
    for changed, what in ((replace(plan, recording_set=relabelled), "data was"), (windows, "window was")):
        with pytest.raises(SearchError, match=f"holds another search: {what}"):
            _run(changed, tmp_path / "run", SyntheticModel(of))
    with pytest.raises(SearchError, match="seed was 0 and is 1"):
        _run(plan, tmp_path / "run", SyntheticModel(of), seed=1)
    assert (tmp_path / "run" / "summary.json").read_bytes() == before


class Mumbles(SyntheticModel):
    """A model whose replies cannot be read."""

    def answer(self, questions: Any) -> list[str]:
        return ["purple" for _ in super().answer(questions)]


def test_folds_and_features_share_the_windows_and_unread_answers_are_told(tmp_path: Path) -> None:
    features = tuple(published_prompts())
    plan = make_plan(patients=40, features=features)
    mumbles = Mumbles({each.video_id: each.present for each in plan.recording_set.annotations})
    summary = _run(plan, tmp_path / "run", mumbles)
    assert [note.partition(":")[0] for note in summary["notes"] if "could be read" in note] == list(features)
    tested = max(mumbles.calls, key=len)
    assert {question.feature for question in tested} == set(features)
    # two windows of each of 40 recordings; the three features' searches and tests meet in few rounds
    assert summary["windows_read"] <= 80 * 4


def test_the_test_of_a_fold_is_not_asked_about_a_second_choice(tmp_path: Path) -> None:
    plan = make_plan(patients=40, features=tuple(published_prompts()))
    of = {each.video_id: each.present for each in plan.recording_set.annotations}
    _run(plan, tmp_path / "run", SyntheticModel(of))
    file = tmp_path / "run" / "test_openings.json"
    openings = json.loads(file.read_text())
    file.write_text(json.dumps({**openings, "arm_flexion, fold 0": "another choice"}))
    with pytest.raises(
        SearchError, match="arm_flexion, fold 0: the test patients of this run were asked once"
    ):
        _run(plan, tmp_path / "run", SyntheticModel(of))


def test_a_quarter_of_each_label_is_development_and_no_test_patient_is_trained_on() -> None:
    plan = make_plan(patients=40)
    folds = {each.patient_id: str(each.fold) for each in plan.recording_set.recordings}
    parts = divided(plan, "tonic", folds, "0", 0)
    for part in ("train", "development"):
        assert not {each.patient_id for each in parts[part]} & {each.patient_id for each in parts["test"]}
    for truth in ("yes", "no"):
        count = {part: sum(each.truth == truth for each in parts[part]) for part in ("train", "development")}
        assert count["development"] == max(1, round(0.25 * sum(count.values())))


def test_one_class_only_is_a_sentence() -> None:
    plan = make_plan(patients=40, positive=0.0)
    folds = {each.patient_id: str(each.fold) for each in plan.recording_set.recordings}
    with pytest.raises(SearchError, match="too few recordings with and without the feature"):
        divided(plan, "tonic", folds, "0", 0)


def test_a_set_that_is_too_small_for_one_fold_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    plan = make_plan(patients=40, features=("arm_flexion", "asynchronous_movement"))  # the third is missing
    model = SyntheticModel({})
    with pytest.raises(SearchError, match="oral_automatisms, fold"):
        _run(plan, tmp_path / "run", model)
    assert model.calls == []
    assert not (tmp_path / "run").exists()


def test_options_that_the_experiment_fixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="fixes what --features, --budget would choose"):
        _run(make_plan(patients=8), tmp_path / "run", SyntheticModel({}), features=("tonic",), budget=5)


def test_a_fold_whose_test_shows_no_sign_is_told() -> None:
    shows, lacks = examples(2, "a", feature="arm_flexion"), examples(2, "b", feature="arm_flexion")
    none = [replace(each, truth="no") for each in lacks]
    told = cautions({("0", "arm_flexion"): {"test": shows}, ("1", "arm_flexion"): {"test": none}})
    assert told == [
        "arm_flexion, fold 1: no test recording shows the feature, so its F1 is 0 whatever is answered"
    ]
