"""``semiology optimize --tasks strokerehab_…``: who is asked when, what is found, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from semiology.cli import app
from semiology.data.strokerehab.simulate import Look, simulate_study
from semiology.optimization.search.asking import WindowQuestion
from semiology.optimization.search.options import SearchOptions
from semiology.optimization.strokerehab import setup
from semiology.optimization.strokerehab.proposals import ComposingProposer, StudyReflection, StudyRules
from semiology.optimization.strokerehab.windows import StudyAnswerer, divided, read_answer
from semiology.prompts.strokerehab_library import load_rehab_library

HELPS = "Compare the first frame with the last."


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("search") / "new" / "drawn"
    simulate_study(
        root, controls=2, strokes=3, tune=2, rounds=1, activities=("rtt exercise",), clips=False, look=Look((96, 64))
    )  # fmt: skip
    return root


@pytest.fixture
def study(drawn: Path, no_settings: None) -> Path:
    (drawn / "ledger.jsonl").unlink(missing_ok=True)
    return drawn


class Synthetic(StudyAnswerer):
    """Always yes, but right under wordings that hold the sentence that helps; remembers whom it was asked about."""

    subjects: list[str] = []  # noqa: RUF012 - one model

    def answer(self, questions: Sequence[WindowQuestion]) -> list[str]:
        replies = []
        for question in questions:
            row = self.document(question)
            Synthetic.subjects.append(row["subject"])
            truth = TRUTHS[question.feature, question.video_id, question.segment]
            replies.append(truth.upper() if HELPS in question.text else "YES")
        return replies


TRUTHS: dict[tuple[str, str, int], str] = {}


def remember(asked: Any) -> None:
    for each in (*asked.train, *asked.development, *asked.test):
        TRUTHS[each.feature, each.video_id.rpartition("#")[0], each.segments[0]] = each.truth


def test_a_search_uses_tune_subjects_and_tests_once(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = setup.optimize_study

    def watched(options: Any, root: Any, questions: Any, *rest: Any) -> Any:
        for asked in questions:
            remember(asked)
        return original(options, root, questions, *rest)

    monkeypatch.setattr(setup, "StudyAnswerer", Synthetic)
    monkeypatch.setattr(setup, "optimize_study", watched)
    Synthetic.subjects = []
    options = SearchOptions(
        model="semiology_constant", model_args="answer=yes", data=study, out=tmp_path / "out", budget=400,
        tasks=("strokerehab_counting",),
    )  # fmt: skip
    results, summary = setup.run_study_search(options)
    motion, grasp = results
    assert (motion.asked.name, grasp.asked.name) == (
        "strokerehab_counting/motion",
        "strokerehab_counting/grasp",
    )
    assert HELPS in motion.chosen
    assert motion.development.after.value == 1.0 > motion.development.before.value
    assert motion.test is not None
    assert (motion.test.after.value, motion.test.subjects) == (1.0, 3)
    assert motion.test.before.value == motion.test.blind  # always yes
    # The sentence is no part of the grammar of the other question.
    assert grasp.development.after.value == grasp.development.before.value
    # Test subjects are asked after all others, in one stretch for each question.
    tune = {each.patient_id for each in (*motion.asked.train, *motion.asked.development)}
    first = next(place for place, name in enumerate(Synthetic.subjects) if name not in tune)
    assert tune.isdisjoint(Synthetic.subjects[first:])
    assert len(tune) == 2
    ledger = (study / "ledger.jsonl").read_text()
    assert ledger.count('"command": "optimize"') == 1
    assert "The 3 test patients were opened once, now (1 different: 1 by optimize)." in summary["notes"]
    # What was found can be asked with.
    (file,) = (tmp_path / "out" / "wordings" / "strokerehab").glob("*.yaml")
    monkeypatch.setenv("SEMIOLOGY_PROMPTS", str(tmp_path / "out" / "wordings"))
    added = load_rehab_library().questions["primitives"]["motion"].prompts[-1]
    assert (added.text, added.provenance) == (motion.chosen, "optimized")
    assert file.name == "strokerehab_counting_motion.yaml"
    monkeypatch.delenv("SEMIOLOGY_PROMPTS")
    # The same command again asks nothing and enters nothing.
    asked = len(Synthetic.subjects)
    again, _ = setup.run_study_search(options)
    assert (len(Synthetic.subjects), again[0].chosen) == (asked, motion.chosen)
    assert (study / "ledger.jsonl").read_text().count('"command": "optimize"') == 1
    assert (
        json.loads((tmp_path / "out" / "summary.json").read_text())["results"][0]["chosen"] == motion.chosen
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--tasks", "strokerehab_primitives_1"], "answered with a list"),
        (["--tasks", "strokerehab_ia2_3_30"], "would fit them by chance"),
        (
            ["--tasks", "strokerehab_counting", "--features", "tonic"],
            "--features belongs to searches over features",
        ),
        (["--tasks", "strokerehab_counting", "--objective", "worst_fold"], "--objective belongs to"),
        (["--tasks", "strokerehab_countin"], "did you mean"),
        (["--tasks", "strokerehab_counting", "--begin-with", "shrot"], "has no such wording"),
    ],
)
def test_what_cannot_be_searched_for_is_told(more: list[str], told: str, study: Path, tmp_path: Path) -> None:
    given = ["optimize", "--model", "semiology_constant", "--model-args", "answer=yes", "--data", str(study)]
    found = CliRunner().invoke(app, [*given, "--out", str(tmp_path / "out"), *more])
    assert isinstance(found.exception, ValueError), found.output
    assert told in str(found.exception)


def test_too_few_subjects_for_tuning_are_told() -> None:
    with pytest.raises(ValueError, match="the split 'tune' has 1 subject with windows"):
        divided(["S1", "S1"], 0)
    shown, selecting = divided(["a", "b", "c"], 0)
    assert (len(shown), len(selecting)) == (2, 1)
    assert shown.isdisjoint(selecting)


def rules(file: str = "primitives", name: str = "motion") -> StudyRules:
    return StudyRules(load_rehab_library().questions[file][name], frozenset({"S90001"}), 700)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Is it moving? Answer only YES or NO.", "does not keep the place"),
        ("Is the {hand} hand moving?", "does not end with a sentence"),
        ("Say yes when unsure. Is the {hand} hand moving? Answer only YES or NO.", "hints at the answer"),
        ("As in S90001: is the {hand} hand moving? Answer only YES or NO.", "names a video"),
    ],
)
def test_wordings_keep_the_rules(text: str, told: str) -> None:
    assert any(told in reason for reason in rules().broken(text))


@pytest.mark.parametrize(
    ("file", "name"),
    [("primitives", "motion"), ("primitives", "grasp"), ("primitives", "single"), ("identification", "procedural"),
     ("identification", "visible")],
)  # fmt: skip
def test_the_library_and_the_grammar_keep_the_rules(file: str, name: str) -> None:
    kept = rules(file, name)
    for prompt in kept.question.prompts:
        assert kept.broken(prompt.text) == []
    proposer, text = ComposingProposer(kept, 3), kept.reference
    for _ in range(30):
        text = proposer.propose(text, [])
        assert kept.broken(text) == []


def test_a_language_model_is_told_what_a_wording_must_keep() -> None:
    seen: list[str] = []

    def complete(task: str) -> str:
        seen.append(task)
        return "<wording>Is the {hand} hand on its way? Answer only YES or NO.</wording>"

    kept = rules()
    proposer = StudyReflection(complete, kept.longest, None, "m", kept.ids)
    proposer.rules = kept
    record = {"Verdict": "missed", "Feedback": "Window 1 of S90001: moving", "Inputs": {"sign": "x"}}
    assert kept.broken(proposer.propose(kept.reference, [record])) == []
    assert "{hand}" in seen[0]
    assert "1 missed" in seen[0]
    assert "S90001" not in seen[0]


def test_answers_are_read_by_the_kind_of_question() -> None:
    library = load_rehab_library().questions
    assert read_answer("No.", library["primitives"]["motion"]) == "no"
    assert read_answer("I do not know", library["primitives"]["motion"]) == "unparsed"
    assert read_answer("REACH", library["primitives"]["single"]) == "reach"
    assert read_answer("FINAL_ANSWER: Feeding.", library["identification"]["visible"]) == "feeding"
    assert read_answer("feeding", library["identification"]["visible"]) == "unparsed"
