"""What searches before this one take from its result: p over all of them, and the gain of the best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semiology.data.protection.ledger import Looks, enter, looks_at
from semiology.optimization.search.examples import Example
from semiology.optimization.search.looks import close_test, corrections, looks_notes, open_test


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))


def result(
    rng: np.random.Generator, chosen: str, p: float, truths: list[str], right: float = 0.7, **more: Any
) -> dict[str, Any]:
    """One feature's test with answers that are right so often; two recordings of a patient."""
    other = {"yes": "no", "no": "yes"}

    def answered(share: float, seed: int) -> list[str]:
        drawn = np.random.default_rng(seed).random(len(truths))
        return [truth if each < share else other[truth] for truth, each in zip(truths, drawn, strict=True)]

    number = len(truths)
    return {
        "model": "m",
        "begun": "begun",
        "chosen": chosen,
        "p": {"f1": p},
        "recordings": [f"r{i}" for i in range(number)],
        "patients": [f"p{i // 2}" for i in range(number)],
        "truths": truths,
        "before": answered(0.7, more.pop("world", 0)),
        "after": answered(right, int(rng.integers(2**31))),
        **more,
    }


def looks_of(results: list[dict[str, Any]]) -> Looks:
    """A ledger of so many searches for ``tonic``."""
    entries = tuple({"look": str(i), "command": "optimize"} for i in range(len(results)))
    found = {str(i): {"tonic": each} for i, each in enumerate(results)}
    return Looks("test", 12, entries, found, altered=False)


TRUTHS = ["yes", "no", "no", "yes", "no"] * 6


def test_p_is_adjusted_by_holm_over_different_comparisons() -> None:
    rng = np.random.default_rng(0)
    results = [result(rng, name, p, TRUTHS) for name, p in (("a", 0.01), ("b", 0.04), ("c", 0.03))]
    again = result(rng, "a", 0.01, TRUTHS)  # a fourth search that chose what the first chose
    found = [corrections(looks_of([*results, again]), {"tonic": each})["tonic"] for each in results]
    # Holm by hand: 3 × 0.01, then 2 × 0.03, then max(0.06, 0.04)
    assert [each.p_adjusted["f1"] for each in found] == pytest.approx([0.03, 0.06, 0.06])
    assert {(each.comparisons, each.searches) for each in found} == {(3, 4)}


def test_features_of_one_search_are_one_family_and_an_undefined_p_takes_no_part() -> None:
    rng = np.random.default_rng(0)
    mine = {"tonic": result(rng, "a", 0.02, TRUTHS), "clonic": result(rng, "b", 0.04, TRUTHS)}
    mine["close_eyes"] = result(rng, "c", 0.5, TRUTHS) | {"p": {}}
    made = corrections(Looks("test", 12, (), {"x": mine}, altered=False), mine)
    assert made["tonic"].p_adjusted == {"f1": pytest.approx(0.04)}
    assert made["clonic"].p_adjusted == {"f1": pytest.approx(0.04)}
    assert made["close_eyes"].p_adjusted == {}
    assert all(each.best_gain is None for each in made.values())
    notes = looks_notes(Looks("test", 12, (), {"x": mine}, altered=False), made)
    assert "for 3 comparisons of wordings on them: 3 of this search, 0 of earlier ones" in notes[1]


def test_only_searches_for_the_same_feature_model_and_recordings_are_best_of_n() -> None:
    rng = np.random.default_rng(0)
    mine = result(rng, "a", 0.5, TRUTHS)
    others = [
        result(rng, "b", 0.5, TRUTHS, model="another"),
        result(rng, "c", 0.5, TRUTHS[:-2]),
        result(rng, "d", 0.5, TRUTHS) | {"truths": ["yes"] * len(TRUTHS)},
    ]
    (made,) = corrections(looks_of([mine, *others]), {"tonic": mine}).values()
    assert (made.comparisons, made.searches, made.best_gain) == (4, 1, None)
    assert made.sentence("tonic") is None


def test_the_best_of_twenty_equal_wordings_gains_nothing_once_corrected() -> None:
    best, corrected = [], []
    for world in range(12):
        rng = np.random.default_rng(world)
        truths = ["yes" if each < 0.4 else "no" for each in rng.random(48)]
        results = [result(rng, f"w{i}", 0.5, truths, world=world + 1000) for i in range(20)]
        (made,) = corrections(looks_of(results), {"tonic": results[-1]}).values()
        assert made.best_gain is not None
        assert made.corrected_gain is not None
        assert made.best_gain >= made.corrected_gain
        best.append(made.best_gain)
        corrected.append(made.corrected_gain)
    assert np.mean(best) > 0.08
    assert abs(np.mean(corrected)) < 2.5 * np.std(corrected) / 12**0.5  # within 2.5 standard errors of 0
    assert "best of 20, corrected" in (made.sentence("tonic") or "")


def test_a_wording_that_is_better_stays_better_once_corrected() -> None:
    rng = np.random.default_rng(3)
    truths = ["yes" if each < 0.4 else "no" for each in rng.random(80)]
    results = [result(rng, f"w{i}", 0.5, truths) for i in range(10)]
    results.append(result(rng, "good", 0.001, truths, right=0.98))
    (made,) = corrections(looks_of(results), {"tonic": results[0]}).values()
    assert made.best_gain is not None
    assert made.corrected_gain == pytest.approx(made.best_gain, abs=0.02)
    assert made.corrected_gain is not None
    assert made.corrected_gain > 0.15


def test_an_equal_search_is_entered_once_and_another_again(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    tests = {"tonic": [Example("tonic", "v1", "P1", "yes", (0, 1)), Example("tonic", "v2", "P2", "no", (0,))]}
    chosen = {"tonic": ("begun", "a")}
    rng = np.random.default_rng(0)
    for _ in range(2):
        opened = open_test(folder, tests, chosen, {"seed": 0})
        assert opened is not None
        looks, made = close_test(
            opened, {"tonic": result(rng, "a", 0.5, ["yes", "no"]) | {"after": ["yes", "no"]}}
        )
    assert (looks.count, made["tonic"].searches) == (1, 1)
    assert len((folder / "ledger.jsonl").read_text().splitlines()) == 2
    open_test(folder, tests, chosen, {"seed": 1})
    assert looks_at(folder, "test", ["P2"]).count == 2
    assert open_test(folder, {"tonic": []}, chosen, {}) is None
    assert enter(folder, opened.look)[0].count == 3
