"""The questions of the stroke-rehabilitation tasks: complete, and with the very text that is on record."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from semiology.prompts.library import PromptLibraryError, prompt_hash
from semiology.prompts.strokerehab_library import check_question_file, load_rehab_library
from semiology.strokerehab import ITEMS

RECORD = Path(__file__).parent / "strokerehab_texts.json"


OWN = """question: primitives/motion
prompts:
- id: ours
  text: Is the {hand} hand on the move? Answer only YES or NO.
  provenance: authored
  source: our laboratory
  family: layperson
"""


def test_a_laboratory_adds_wordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "strokerehab"
    folder.mkdir()
    (folder / "motion.yaml").write_text(OWN)
    monkeypatch.setenv("SEMIOLOGY_PROMPTS", str(tmp_path))
    question = load_rehab_library().questions["primitives"]["motion"]
    assert question.wording("ours").source == "our laboratory"
    assert question.wording("unknown").id == "reference"
    (folder / "again.yaml").write_text(OWN)
    with pytest.raises(PromptLibraryError, match="the id is taken"):
        load_rehab_library()
    (folder / "again.yaml").write_text(OWN.replace("primitives/motion", "primitives/motoin"))
    with pytest.raises(PromptLibraryError, match="primitives/motion"):
        load_rehab_library()
    monkeypatch.delenv("SEMIOLOGY_PROMPTS")
    assert "ours" not in {
        prompt.id for prompt in load_rehab_library().questions["primitives"]["motion"].prompts
    }


def test_every_text_reads_as_recorded(request: pytest.FixtureRequest) -> None:
    now = {
        f"{question}/{wording}": prompt_hash(text) for question, wording, text in load_rehab_library().texts()
    }
    if request.config.getoption("--accept-prompt-drift", default=False):
        RECORD.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    changed = sorted(key for key in now.keys() | recorded.keys() if now.get(key) != recorded.get(key))
    assert not changed, "accept with `pytest tests/prompts --accept-prompt-drift` what is meant"


def test_every_item_is_asked_in_both_forms() -> None:
    library = load_rehab_library()
    assert tuple(library.items) == ITEMS
    kinds = Counter(question.kind for item in library.items.values() for question in item.questions)
    assert kinds == {
        "gate": 39, "stays": 17, "closing": 15, "rating": 14, "deviation": 11, "fault": 1, "knee": 1, "nose": 1,
    }  # fmt: skip
    # As published: 68 yes or no, 29 ratings, and 4 counts, since knee and nose are counted on both arms.
    assert sum(kinds[name] for name in ("gate", "stays", "deviation", "fault")) == 68
    assert kinds["closing"] + kinds["rating"] == 29
    assert kinds.total() + 2 == 101
    assert sum(len(item.reasoning) for item in library.items.values()) + 2 == 33
    # Every tree ends in a score, and flexing of the thumb is the fault.
    for number, item in library.items.items():
        assert item.questions[-1].kind in ("rating", "closing", "nose"), number
    assert library.items[27].questions[2].kind == "fault"
    assert {question.id for question in library.items[3].reasoning} == {"3_reasoned"}


def test_all_wordings_are_authored_and_unreviewed() -> None:
    library = load_rehab_library()
    questions = [question for group in library.questions.values() for question in group.values()]
    for question in questions:
        for prompt in question.prompts:
            assert prompt.provenance == "authored"
            assert "not yet reviewed by a clinician" in prompt.source


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"answer": "colour"}, "answer"),
        ({"answer": None}, "neither"),
        ({"prompts": []}, "prompts"),
    ],
)
def test_faults_name_the_entry(change: dict[str, object], part: str) -> None:
    prompt = {
        "id": "reference",
        "text": "Yes?",
        "provenance": "authored",
        "source": "us",
        "family": "minimal",
    }
    question = {"id": "motion", "answer": "yes_no", "prompts": [prompt], **change}
    (problem, *_) = check_question_file({"task": "primitives", "questions": [question]}, "primitives.yaml")
    assert part in str(problem)
    twice = [{"id": "motion", "answer": "yes_no", "prompts": [prompt]}] * 2
    assert check_question_file({"task": "primitives", "questions": twice}, "primitives.yaml")
    assert check_question_file({"task": "other", "questions": twice[:1]}, "primitives.yaml")
