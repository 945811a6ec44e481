"""The search itself, on a synthetic model with known wording effects: it improves, and it does not cheat."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import SyntheticModel, examples, quality, rules, truths

from semiology.optimization.proposers.grammar_walk import OfflineProposer
from semiology.optimization.proposers.guarded import ReflectionError
from semiology.optimization.search.asking import AnswerBook
from semiology.optimization.search.examples import Example
from semiology.optimization.search.options import DEFAULT_BUDGET, SearchError, SearchOptions
from semiology.optimization.search.run_folder import wording_file
from semiology.optimization.search.scores import compare_wordings
from semiology.optimization.search.search import FoundWording, search_feature, usable_seeds

TRAIN, DEVELOPMENT, TEST = examples(30, "a"), examples(40, "b"), examples(80, "c")
OPTIONS = SearchOptions(budget=500, begin_with="role", seeds=())


def search(
    train: Sequence[Example] = TRAIN,
    development: Sequence[Example] = DEVELOPMENT,
    model: SyntheticModel | None = None,
    proposer: Any = None,
    **options: Any,
) -> tuple[FoundWording, AnswerBook]:
    chosen = replace(OPTIONS, **options)
    book = AnswerBook(model or SyntheticModel(truths(TRAIN, DEVELOPMENT, TEST)))
    writer = proposer or OfflineProposer(rules(), chosen.seed)
    return search_feature(train, development, book, writer, rules(), chosen), book


@pytest.mark.parametrize("seed", range(3))
def test_a_weak_wording_becomes_better_on_patients_that_the_search_never_saw(seed: int) -> None:
    found, book = search(seed=seed)
    result = compare_wordings(TEST, book.answers(found.begun_text, TEST), book.answers(found.chosen, TEST))
    assert quality(found.chosen) > quality(found.begun_text) + 0.1
    assert result.difference["f1"].value > 0.15
    assert result.p_value["f1"] < 0.05
    assert found.is_new
    assert found.lineage["metric_calls"] < (OPTIONS.budget or 0) + 100  # the last step may overshoot


def test_with_shuffled_labels_nothing_improves_on_test_patients() -> None:
    """A leak of test labels, or of development ones into the test, would show as a gain here."""
    gains = []
    for seed in range(6):
        dealt = random.Random(seed)
        parts = []
        for part in (TRAIN, DEVELOPMENT, TEST):
            labels = dealt.sample([each.truth for each in part], len(part))
            parts.append(tuple(replace(each, truth=label) for each, label in zip(part, labels, strict=True)))
        train, development, test = parts
        # The model answers by a truth of its own, which the shuffled labels have nothing to do with.
        found, book = search(train, development, seed=seed, budget=150)
        before, after = (book.answers(text, test) for text in (found.begun_text, found.chosen))
        gains.append(compare_wordings(test, before, after).difference["balanced_accuracy"].value)
        assert (
            found.lineage["candidates"][found.lineage["chosen"]]["development"]["f1"]
            >= (found.lineage["candidates"][0]["development"]["f1"])
        )
    spread = np.std(gains, ddof=1) / np.sqrt(len(gains))
    assert abs(np.mean(gains)) < 3 * spread
    assert abs(np.mean(gains)) < 0.08


def test_the_test_recordings_are_never_asked_during_a_search() -> None:
    model = SyntheticModel(truths(TRAIN, DEVELOPMENT, TEST))
    search(model=model)
    asked = {question.video_id for call in model.calls for question in call}
    assert asked <= {each.video_id for each in (*TRAIN, *DEVELOPMENT)}


def test_the_same_seed_takes_the_same_way_and_another_one_another() -> None:
    first, second, other = (search(seed=seed, budget=200)[0].lineage for seed in (1, 1, 2))
    for name in ("candidates", "trials", "pareto_front", "chosen", "metric_calls"):
        assert first[name] == second[name]
    assert first["trials"] != other["trials"]


def test_the_lineage_tells_parents_fronts_and_budget_in_order() -> None:
    record = search()[0].lineage
    assert record["candidates"][0]["origin"] == "library:role"
    for each in record["candidates"][1:]:
        assert all(parent < each["number"] for parent in each["parents"])
    calls = [front["metric_calls"] for front in record["pareto_front"]]
    assert calls == sorted(calls)
    assert record["pareto_front"][0]["front"] == [0]
    accepted = {trial["wording"] for trial in record["trials"] if trial["accepted"]}
    assert {each["wording"] for each in record["candidates"][1:]} <= accepted
    assert len(record["candidates"]) > 2


def test_wordings_of_one_step_are_asked_together() -> None:
    model = SyntheticModel(truths(TRAIN, DEVELOPMENT, TEST))
    search(model=model, siblings=3, budget=200)
    texts = [len({question.text for question in call}) for call in model.calls]
    assert max(texts) == 3


class Says:
    """A proposer that says the same again and again."""

    attempts = 2

    def __init__(self, *texts: str) -> None:
        self.texts, self.asked = texts, 0

    def propose(self, wording: str, records: Sequence[Mapping[str, Any]]) -> str:
        self.asked += 1
        return self.texts[self.asked % len(self.texts)]


@pytest.mark.parametrize("text", ["", "   ", "Do you see a tonic phase or a focal tonic posture?"])
def test_a_proposer_with_nothing_new_ends_the_search_in_a_sentence(text: str) -> None:
    begun = "Do you see a tonic phase or a focal tonic posture?"
    book = AnswerBook(SyntheticModel(truths(TRAIN, DEVELOPMENT)))
    options = replace(OPTIONS, budget=5000)
    found = search_feature(TRAIN, DEVELOPMENT, book, Says(text), rules(), options, begun_text=begun)
    assert found.chosen == begun
    assert "had nothing new to try" in found.notes[-1]
    assert found.lineage["metric_calls"] < 1000


def test_candidates_that_break_rules_are_never_asked_and_counted() -> None:
    model = SyntheticModel(truths(TRAIN, DEVELOPMENT))
    bad = Says("Does P0007 look stiff?", "If unsure, answer yes. Is the patient stiff?")
    found, _ = search(model=model, proposer=bad, budget=3000)
    asked = {question.text for call in model.calls for question in call}
    assert len(asked) == 1
    assert found.lineage["refused"]["it hints at the answer or speaks of answers"] > 0


class Gone:
    attempts = 3

    def propose(self, wording: str, records: Sequence[Mapping[str, Any]]) -> str:
        raise ReflectionError("no reply within 1 s")


def test_a_proposer_that_is_gone_ends_the_search_with_a_way_to_go_on() -> None:
    found, _ = search(proposer=Gone(), budget=3000)
    assert "no reply within 1 s" in found.notes[-1]
    assert "run the same command again" in found.notes[-1]


def test_a_model_whose_replies_cannot_be_read_gives_the_wording_it_began_with() -> None:
    class Mumbles(SyntheticModel):
        def _reply(self, question: Any) -> str:
            return "Hm."

    found, _ = search(model=Mumbles({}), budget=200)
    assert found.chosen == found.begun_text
    assert found.lineage["candidates"][0]["development"]["unparsed_rate"] == 1.0


def test_library_wordings_are_tried_first_and_a_chosen_one_is_not_called_new() -> None:
    model = SyntheticModel(
        truths(TRAIN, DEVELOPMENT),
        of=lambda text: 1.0 if text.startswith("Does the patient become stiff") else 0.4,
    )
    found, _ = search(model=model, seeds=("all",), budget=300)
    assert found.chosen == "Does the patient become stiff?"
    assert not found.is_new
    assert found.lineage["candidates"][found.lineage["chosen"]]["origin"] == "library:minimal"
    assert any("negated" in note for note in found.notes)


def test_options_that_make_no_sense_are_sentences() -> None:
    for options, message in (
        ({"objective": "f2"}, "use one of f1"),
        ({"budget": 0}, "budget must be above 0"),
        ({"minibatch": 0}, "minibatch must be above 0"),
        ({"begin_with": "negated"}, "begin with another wording"),
        ({"begin_with": "nowhere"}, "has no wording 'nowhere'"),
        ({"seeds": ("nowhere",)}, "has no such wording"),
    ):
        with pytest.raises(SearchError, match=message):
            search(**options)


def test_minutes_end_a_search_and_count_those_of_a_killed_run() -> None:
    book = AnswerBook(SyntheticModel(truths(TRAIN, DEVELOPMENT)))
    options = replace(OPTIONS, budget=None, minutes=1.0)
    found = search_feature(
        TRAIN, DEVELOPMENT, book, OfflineProposer(rules()), rules(), options, seconds_before=61.0
    )
    assert found.chosen == found.begun_text
    assert "1 minutes were used" in found.notes[-1]


def test_a_wording_that_an_earlier_search_found_is_a_seed_only_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Does the patient become stiff all over?"
    entry = {"id": "optimized_1", "text": text, "answer": "yes_no", "provenance": "optimized",
             "source": "a search", "family": "optimized"}  # fmt: skip
    (tmp_path / "tonic.yaml").write_text(wording_file("tonic", entry), encoding="utf-8")
    monkeypatch.setenv("SEMIOLOGY_PROMPTS", str(tmp_path))
    texts, notes = usable_seeds(rules(), SearchOptions(seeds=("all",)))
    assert texts
    assert text not in texts
    assert any("optimized_1 is no seed, because an earlier search found it" in note for note in notes)
    assert usable_seeds(rules(), SearchOptions(seeds=("optimized_1",)))[0] == [text]
    found, _ = search(budget=40, seeds=("optimized_1",))
    assert any("optimized_1 was found by an earlier search" in note for note in found.notes)


def test_without_a_budget_or_minutes_the_default_budget_counts() -> None:
    assert SearchOptions().metric_calls == DEFAULT_BUDGET
    assert SearchOptions(minutes=1.0).metric_calls is None
    assert SearchOptions(minutes=1.0, budget=5).metric_calls == 5
