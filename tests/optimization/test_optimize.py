"""A whole run: several features in common rounds, test once, files, and going on after a kill."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from synthetic import SyntheticModel

from semiology.backends.journal import Journal, answer_key
from semiology.data.media.probe import MediaInfo
from semiology.data.recording_set import Annotation, Recording, RecordingSet
from semiology.data.windows.sliding import STANDARD
from semiology.optimization.folds.draw import FoldError
from semiology.optimization.proposers.grammar_walk import OfflineProposer
from semiology.optimization.proposers.guarded import ReflectionError
from semiology.optimization.proposers.rules import CandidateRules
from semiology.optimization.search.asking import (
    RememberedAnswers,
    SharedRounds,
    UnansweredError,
    WindowQuestion,
)
from semiology.optimization.search.examples import (
    check_examples,
    divide_patients,
    feature_examples,
)
from semiology.optimization.search.options import SearchError, SearchOptions
from semiology.optimization.search.run import OptimizationResult, optimize
from semiology.optimization.search.run_folder import RunFolder, TimeUsed
from semiology.optimization.search.setup import Prepared, ProposerOf
from semiology.prompts.library import load_library
from semiology.tasks.plan import Plan, RecordingPlan

FEATURES = ("tonic", "close_eyes")


@pytest.fixture(autouse=True)
def _own_cache_and_no_garbage_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare what costs most here: statsmodels collects garbage in every correction of p-values."""
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(gc, "collect", lambda *generation: 0)


SEARCH = SearchOptions(features=FEATURES, budget=120, begin_with="role", seeds=(), siblings=3)


def make_plan(patients: int = 36, positive: float = 0.4, features: tuple[str, ...] = FEATURES) -> Plan:
    recordings, annotations = [], []
    for number in range(patients):
        name = f"R{number:03}"
        recordings.append(Recording(f"{name}_V1", name, Path(f"{name}.mp4"), fold=str(number % 4)))
        for place, feature in enumerate(features):
            sign = (number * 7 + place * 3) % 10 < positive * 10
            annotations.append(
                Annotation(f"{name}_V1", feature, "yes" if sign else "no", justification="seen")
            )
    made = RecordingSet(Path("set"), "drawn", "1", tuple(recordings), tuple(annotations), {})
    planned = {
        each.video_id: RecordingPlan(each, STANDARD.segments(40.0), 0, "s", None, _info())
        for each in recordings
    }
    return Plan(made, STANDARD, planned, {})


def _info() -> MediaInfo:
    fields = MediaInfo.__dataclass_fields__
    given: dict[str, Any] = {"duration_s": 40.0, "fps": 25.0, "has_audio": False}
    return MediaInfo(**{name: given.get(name, 100) for name in fields})


def key(question: WindowQuestion) -> str:
    media = [("video", question.video_id, float(question.segment), None)]
    return answer_key(prompt=question.text, media=media, sampling={}, generation={}, model="synthetic")


def model(plan: Plan) -> SyntheticModel:
    of = {each.video_id: each.present for each in plan.recording_set.annotations if each.feature == "tonic"}
    return SyntheticModel(of)


def offline(rules: CandidateRules, journal: Journal) -> OfflineProposer:
    return OfflineProposer(rules, 0)


def run(
    out: Path, plan: Plan, answerer: Any, proposer_of: ProposerOf = offline, **search: Any
) -> OptimizationResult:
    prepared = Prepared(plan, answerer, key, "synthetic", proposer_of)
    return optimize(replace(SEARCH, out=out, **search), prepared)


def test_a_run_writes_wordings_lineage_and_summary_that_the_library_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan()
    result = run(tmp_path / "run", plan, model(plan))
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [each["feature"] for each in summary["results"]] == list(FEATURES)
    for each in result.features:
        record = json.loads((tmp_path / "run" / each.found.feature / "lineage.json").read_text())
        assert record["data"] == summary["data"]
        assert len(record["pareto_front"]) >= 1
        assert each.test is not None
        assert each.test.n == 9
    new = next(each for each in result.features if each.found.is_new)
    assert new.wordings is not None
    (entry,) = yaml.safe_load(new.wordings.read_text())["prompts"]
    assert entry["provenance"] == "optimized"
    assert summary["data"][:12] in entry["source"]
    assert "parent role" in entry["note"]
    assert "test F1" in entry["note"]
    monkeypatch.setenv("SEMIOLOGY_PROMPTS", str(tmp_path / "run" / "wordings"))
    assert load_library().feature(new.found.feature).prompt(entry["id"]).text == entry["text"]


def test_features_share_the_windows_of_a_round() -> None:
    plan = make_plan()
    answerer = model(plan)
    asked = [call for call in _run(plan, answerer) if len({each.feature for each in call}) == 2]
    assert asked
    shared = [{(each.video_id, each.segment) for each in call if each.feature == name}
              for call in asked for name in FEATURES]  # fmt: skip
    assert shared[0] & shared[1]


def _run(plan: Plan, answerer: SyntheticModel) -> list[list[WindowQuestion]]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder) / "run", plan, answerer)
    return answerer.calls


class Dies(SyntheticModel):
    """A model whose process is killed after some calls."""

    def __init__(self, inner: SyntheticModel, after: int) -> None:
        super().__init__(inner.truths)
        self.left = after

    def answer(self, questions: Any) -> list[str]:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().answer(questions)


class Mumbles(SyntheticModel):
    """A model whose replies cannot be read."""

    def answer(self, questions: Any) -> list[str]:
        return ["purple" for _ in super().answer(questions)]


def test_few_patients_fill_three_parts_and_fewer_are_told() -> None:
    made = make_plan(patients=3).recording_set
    few = replace(made, recordings=tuple(replace(each, fold=None) for each in made.recordings))
    parts = divide_patients(few)
    assert [len(getattr(parts, part)) for part in ("train", "development", "test")] == [1, 1, 1]
    with pytest.raises(FoldError, match="2 patients: train, development and test need 3 or more → add"):
        divide_patients(replace(few, recordings=few.recordings[:2]))
    split = (replace(few.recordings[0], split="test"), *few.recordings[1:])
    assert len(divide_patients(replace(few, recordings=split)).train) == 1


def test_two_folds_are_too_few_to_name_the_test_among_them() -> None:
    made = make_plan(patients=6).recording_set
    two = tuple(replace(each, fold=str(number % 2)) for number, each in enumerate(made.recordings))
    with pytest.raises(FoldError, match="--test-fold 1: the recording set has 2 folds, not three or more"):
        divide_patients(replace(made, recordings=two), test_fold="1")
    none = tuple(replace(each, fold=None) for each in made.recordings)
    with pytest.raises(FoldError, match="the recording set has no folds"):
        divide_patients(replace(made, recordings=none), test_fold="1")


def test_patients_without_a_fold_are_told(tmp_path: Path) -> None:
    plan = make_plan()
    last = plan.recording_set.recordings[-1].patient_id
    some = tuple(
        replace(each, fold=None if each.patient_id == last else each.fold)
        for each in plan.recording_set.recordings
    )
    partial = replace(plan, recording_set=replace(plan.recording_set, recordings=some))
    told = "1 patient of the set without a fold: asked about nothing"
    assert told in run(tmp_path / "run", partial, model(plan), budget=60).notes
    assert told not in run(tmp_path / "other", plan, model(plan), budget=60).notes


def test_answers_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    plan = make_plan()
    result = run(tmp_path / "run", plan, Mumbles(model(plan).truths), budget=60)
    told = [note for note in result.notes if "could be read as yes or no" in note]
    assert [note.partition(":")[0] for note in told] == list(FEATURES)
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["notes"] == list(result.notes)
    heard = run(tmp_path / "other", plan, model(plan), budget=60)
    assert not any("could be read" in note for note in heard.notes)


class Fails(SyntheticModel):
    """A model that gives no reply to one question of its third call."""

    def answer(self, questions: Any) -> list[str]:
        replies = super().answer(questions)
        if len(self.calls) == 3:
            raise UnansweredError("the frames cannot be read", [None, *replies[1:]])
        return replies


def test_the_replies_beside_a_failed_question_are_kept(tmp_path: Path) -> None:
    plan = make_plan()
    first = Fails(model(plan).truths)
    with pytest.raises(SearchError, match="the frames cannot be read"):
        run(tmp_path / "run", plan, first)
    last = model(plan)
    run(tmp_path / "run", plan, last)
    again = [question for call in last.calls for question in call]
    before = [question for call in first.calls for question in call]
    assert set(again) & set(before) == {first.calls[2][0]}


def test_a_killed_run_goes_on_without_asking_anything_twice_and_ends_the_same(tmp_path: Path) -> None:
    plan = make_plan()
    whole = model(plan)
    run(tmp_path / "whole", plan, whole)
    killed = [Dies(model(plan), after) for after in (1, 3, 2)]
    for each in killed:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "run", plan, each)
    last = model(plan)
    run(tmp_path / "run", plan, last)
    asked = [question for each in (*killed, last) for call in each.calls for question in call]
    assert len(asked) == len(set(asked))
    assert set(asked) == {question for call in whole.calls for question in call}
    for name in FEATURES:
        mine, theirs = (
            json.loads((tmp_path / run / name / "lineage.json").read_text()) for run in ("run", "whole")
        )
        assert mine["candidates"] == theirs["candidates"]
        assert mine["chosen"] == theirs["chosen"]


def test_another_search_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    plan = make_plan()
    run(tmp_path / "run", plan, model(plan))
    with pytest.raises(SearchError, match="seed was 0 and is 5"):
        run(tmp_path / "run", plan, model(plan), seed=5)


def test_the_test_patients_are_asked_about_one_choice_only(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run", {})
    folder.open_test("tonic", "a", "b")
    folder.open_test("tonic", "a", "b")
    with pytest.raises(SearchError, match="asked once, about another wording"):
        folder.open_test("tonic", "a", "c")


def test_a_model_that_fails_ends_the_run_and_keeps_what_was_answered(tmp_path: Path) -> None:
    class Fails(SyntheticModel):
        def answer(self, questions: Any) -> list[str]:
            if len(self.calls) == 2:
                raise SearchError("3 of 9 questions got no reply")
            return super().answer(questions)

    plan = make_plan()
    with pytest.raises(SearchError, match="got no reply"):
        run(tmp_path / "run", plan, Fails(model(plan).truths))
    kept = sum(len(path.read_text().splitlines()) for path in (tmp_path / "run" / "answers").glob("*.jsonl"))
    assert kept > 30


@pytest.mark.parametrize(("positive", "said"), [(0.0, "'no'"), (1.0, "'yes'")])
def test_one_class_only_is_a_sentence(positive: float, said: str) -> None:
    plan = make_plan(positive=positive)
    found = feature_examples(
        plan, load_library().feature("tonic").reference, divide_patients(plan.recording_set)
    )
    with pytest.raises(SearchError, match=f"train patients have only recordings with truth {said}"):
        check_examples(found)


def test_no_patient_is_in_two_parts_and_the_test_fold_can_be_chosen() -> None:
    made = make_plan().recording_set
    for fold in "0123":
        parts = divide_patients(made, test_fold=fold)
        every = parts.train + parts.development + parts.test
        assert len(every) == len(set(every)) == 36
        assert {item.fold for item in made.recordings if item.patient_id in parts.test} == {fold}
    with pytest.raises(ValueError, match="no such fold"):
        divide_patients(made, test_fold="9")


def test_a_split_named_test_is_the_test() -> None:
    made = make_plan().recording_set
    recordings = tuple(
        replace(each, fold=None, split="test" if number < 9 else "train")
        for number, each in enumerate(made.recordings)
    )
    parts = divide_patients(replace(made, recordings=recordings))
    assert set(parts.test) == {each.patient_id for each in recordings[:9]}
    assert len(parts.development) == 9


def split_set(*splits: str | None, folds: bool = False) -> RecordingSet:
    """Three patients of each split, in the order given, with folds 0 to 2 within each where wanted."""
    made = make_plan(patients=3 * len(splits)).recording_set
    recordings = tuple(
        replace(each, split=splits[number // 3], fold=str(number % 3) if folds else None)
        for number, each in enumerate(made.recordings)
    )
    return replace(made, recordings=recordings)


def splits_of(recording_set: RecordingSet, patients: tuple[str, ...]) -> set[str | None]:
    return {each.split for each in recording_set.recordings if each.patient_id in patients}


@pytest.mark.parametrize("folds", [False, True])
def test_splits_come_before_folds_and_confirm_patients_are_in_no_part(folds: bool) -> None:
    made = split_set("Train", "train", "TEST", "confirm", "Validation", folds=folds)
    parts = divide_patients(made, seed=3)
    assert splits_of(made, parts.test) == {"TEST"}
    assert splits_of(made, parts.development) == {"Validation"}
    assert splits_of(made, parts.train) == {"Train", "train"}
    assert [len(getattr(parts, part)) for part in ("train", "development", "test")] == [6, 3, 3]
    bare = split_set("train", "train", "test", "confirm", folds=folds)
    parts = divide_patients(bare, seed=3)
    assert splits_of(bare, parts.test) == {"test"}
    assert splits_of(bare, parts.train + parts.development) == {"train"}
    assert len(parts.train + parts.development) == 6
    if folds:  # development is a fold, but only of patients to develop on
        assert {each.fold for each in bare.recordings if each.patient_id in parts.development} == {"0"}
    unnamed = split_set("train", "train", "confirm", folds=folds)
    parts = divide_patients(unnamed, seed=3)
    assert splits_of(unnamed, parts.train + parts.development + parts.test) == {"train"}


def test_folds_never_overrule_a_split() -> None:
    made = split_set("train", "train", "test", "confirm", folds=True)
    with pytest.raises(FoldError, match="the split 'test' names the test patients"):
        divide_patients(made, test_fold="1")
    lost = split_set("test", "confirm", "test")
    with pytest.raises(
        ValueError, match="no recording is of the split train or dev → there are: confirm, test"
    ):
        divide_patients(lost)


def test_no_seed_draws_other_test_patients_and_each_may_draw_other_development_patients() -> None:
    made = replace(split_set(None, None, None, None), name="drawn")
    found = [divide_patients(made, seed=seed) for seed in range(6)]
    assert len({parts.test for parts in found}) == 1
    assert len({parts.development for parts in found}) > 1
    assert all(not set(parts.test) & {*parts.train, *parts.development} for parts in found)
    others = {divide_patients(replace(made, name=f"set {number}")).test for number in range(6)}
    assert len(others) > 1  # another set has another test


def test_rounds_hold_the_questions_of_all_searches_that_still_run() -> None:
    import threading

    inner = SyntheticModel({"v": "yes", "w": "no"})
    rounds = SharedRounds(inner, 2)

    def ask(video: str, times: int) -> None:
        for number in range(times):
            rounds.answer([WindowQuestion(video, 0, "tonic", f"Is it stiff? {number}")])
        rounds.leave()

    threads = [threading.Thread(target=ask, args=given) for given in (("v", 3), ("w", 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [len(call) for call in inner.calls] == [2, 1, 1]


def test_a_failure_reaches_every_search_of_the_round(tmp_path: Path) -> None:
    class Down:
        def answer(self, questions: Any) -> list[str]:
            raise SearchError("down")

    with Journal(tmp_path) as journal:
        remembered = RememberedAnswers(Down(), journal, key)
        with pytest.raises(SearchError, match="down"):
            SharedRounds(remembered, 1).answer([WindowQuestion("v", 0, "tonic", "Is it stiff?")])


def test_a_search_that_ended_by_the_clock_ends_at_the_same_step_when_repeated(tmp_path: Path) -> None:
    plan = make_plan()
    first = run(tmp_path / "run", plan, model(plan), minutes=600.0)
    (tmp_path / "run" / "seconds.json").write_text(json.dumps(dict.fromkeys(FEATURES, 99_999.0)))
    again = model(plan)
    second = run(tmp_path / "run", plan, again, minutes=600.0)
    assert again.calls == []
    for one, other in zip(first.features, second.features, strict=True):
        assert one.found.lineage["candidates"] == other.found.lineage["candidates"]
        assert one.test == other.test


def test_time_used_is_kept_over_kills(tmp_path: Path) -> None:
    folder, clock = RunFolder(tmp_path / "run", {}), [0.0]
    for total in (12.0, 24.0):
        clock[0] = 0.0
        used = TimeUsed(folder, lambda: clock[0])
        used.note("tonic")
        for clock[0] in (4.0, 12.0):
            used.note("tonic")
        assert folder.noted("seconds.json")["tonic"] == total


class Dying:
    """A proposing model whose server is gone after so many replies."""

    attempts = 3

    def __init__(self, proposer: OfflineProposer, replies: int) -> None:
        self._proposer, self._left = proposer, replies

    def propose(self, wording: str, records: Any) -> str:
        self._left -= 1
        if self._left < 0:
            raise ReflectionError("the server is gone")
        return self._proposer.propose(wording, records)


def test_a_search_whose_proposing_model_dies_leaves_the_test_closed_and_goes_on(tmp_path: Path) -> None:
    plan = make_plan()

    def dying(replies: int, minutes: float | None = None) -> Any:
        return run(
            tmp_path / "run", plan, model(plan), lambda kept, journal: Dying(offline(kept, journal), replies),
            minutes=minutes, budget=120,
        )  # fmt: skip

    for feature in dying(3, 60).features:
        assert feature.test is None
        assert feature.wordings is None
        assert any(
            "the server is gone" in note and "asked at its end" in note for note in feature.found.notes
        )
    assert not (tmp_path / "run" / "test_openings.json").exists()
    assert not (tmp_path / "run" / "finished.json").exists()
    assert all(feature.test is not None for feature in dying(10**6, 60).features)
