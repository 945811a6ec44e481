"""What a search owes to those before it: its look at the test patients is entered, its result corrected for theirs.

Each search enters what it chose before the test patients are asked, and both wordings' answers about them when they
are known. From the entries of all searches on these patients follow two corrections. p-values are adjusted (Holm)
for every pair of wordings that was tested on them. And where several searches looked for the same feature, the best
gain among them is given beside the gain of choosing the best on other patients than those it is scored on
(`semiology.metrics.robustness.best_wording`): over 20 searches without any true gain the one is far above 0, the
other is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semiology.data.protection.ledger import (
    Look,
    Looks,
    digest,
    digest_of_rows,
    enter,
    enter_found,
    looks_at,
    patient_mark,
)
from semiology.data.protection.splits import TEST
from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.best_wording import best_of_k
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.counts import TRUTHS, encode, encode_answers
from semiology.render.text import counted

if TYPE_CHECKING:
    from semiology.optimization.search.asking import AnswerBook
    from semiology.optimization.search.examples import Example
    from semiology.optimization.search.scores import WordingComparison
    from semiology.optimization.search.search import FoundWording

FOLDS = 5
"""Folds of test patients of whom each is scored by what the others chose."""


@dataclass(frozen=True)
class TestLook:
    """One search's look at its test patients: the look, and the folder of the recording set."""

    data: Path
    look: Look

    @property
    def patients(self) -> frozenset[str]:
        """The test patients."""
        return self.look.patients[TEST]


@dataclass(frozen=True)
class Correction:
    """What earlier looks at the same patients leave of one feature's test result.

    Attributes:
        p_adjusted: by score, p adjusted (Holm) over ``comparisons`` on these patients, of this and earlier searches.
        searches: different searches for this feature with this model on the same recordings, this one included.
        best_gain: the largest gain in F1 over this search's first wording that one of them found.
        corrected_gain: the gain of choosing the best of them on other patients; both None where there is one search.
    """

    p_adjusted: Mapping[str, float]
    comparisons: int
    searches: int
    best_gain: float | None = None
    corrected_gain: float | None = None

    def sentence(self, feature: str) -> str | None:
        """Return what the best of several searches is worth, or None where there is one."""
        if self.best_gain is None or self.corrected_gain is None:
            return None
        return (
            f"{feature}: the best of {counted(self.searches, 'search', 'searches')} on these test patients gained "
            f"{self.best_gain:+.2f} in F1, uncorrected; chosen on other patients than it is scored on, the best "
            f"gained {self.corrected_gain:+.2f} (best of {self.searches}, corrected)"
        )


def open_test(
    data: Path,
    tests: Mapping[str, Sequence[Example]],
    chosen: Mapping[str, tuple[str, str]],
    facts: Mapping[str, Any],
) -> TestLook | None:
    """Enter, before the test patients are asked, which wordings they are asked under; once for equal searches.

    Args:
        data: folder of the recording set.
        tests: test recordings by feature. chosen: the first and the chosen wording by feature.
        facts: what tells this search from another: model, options, data.

    Returns:
        None where there is no test recording.

    Raises:
        OSError: the ledger cannot be written.
    """
    asked = [each for feature in chosen for each in tests[feature]]
    if not asked:
        return None
    look = Look(
        "optimize",
        {TEST: frozenset(each.patient_id for each in asked)},
        {"wordings": {name: list(texts) for name, texts in chosen.items()}, **facts},
        digest_of_rows((each.feature, each.video_id, each.truth, each.segments) for each in asked),
    )
    mine = look.entry()["look"]
    if mine not in {entry["look"] for entry in looks_at(data, TEST, look.patients[TEST]).entries}:
        enter(data, look)
    return TestLook(data, look)


def result_entry(
    examples: Sequence[Example], book: AnswerBook, found: FoundWording, test: WordingComparison, model: str
) -> dict[str, Any]:
    """Return what later searches need of one feature's test: both wordings' answers, and p."""
    ordered = sorted(examples, key=lambda each: each.video_id)
    before, after = (book.answers(text, ordered) for text in (found.begun_text, found.chosen))
    return {
        "model": model,
        "begun": found.begun_text,
        "chosen": found.chosen,
        "p": {name: value for name, value in test.p_value.items() if not math.isnan(value)},
        "recordings": [patient_mark(each.video_id) for each in ordered],
        "patients": [patient_mark(each.patient_id) for each in ordered],
        "truths": [each.truth for each in ordered],
        "before": [before[each.video_id] for each in ordered],
        "after": [after[each.video_id] for each in ordered],
    }


def close_test(
    opened: TestLook, results: Mapping[str, Mapping[str, Any]]
) -> tuple[Looks, dict[str, Correction]]:
    """Enter the results of a search by feature, and return all looks at its patients and each result corrected.

    Raises:
        OSError: the ledger cannot be written.
    """
    mine = opened.look.entry()["look"]
    known = looks_at(opened.data, TEST, opened.patients)
    if known.found.get(mine) != results:
        enter_found(opened.data, opened.look, results)
        known = looks_at(opened.data, TEST, opened.patients)
    return known, corrections(known, results)


def corrections(looks: Looks, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Correction]:
    """Return each feature's result corrected for all that the ledger knows of its test patients."""
    family: dict[str, Mapping[str, Any]] = {}
    by_search: dict[str, list[Mapping[str, Any]]] = {name: [] for name in results}
    for found in looks.found.values():
        for feature, each in found.items():
            family[_comparison(feature, each)] = each
            if feature in results and _same_test(each, results[feature]):
                by_search[feature].append(each)
    adjusted = _holm(family)
    made = {}
    for feature, each in results.items():
        searches = by_search[feature]
        several = len(searches) > 1 and "before" in each  # questions of a study enter no single answers
        gains = _gains(feature, each, searches) if several else (None, None)
        made[feature] = Correction(
            adjusted[_comparison(feature, each)], len(family), max(1, len(searches)), *gains
        )
    return made


def looks_notes(looks: Looks, made: Mapping[str, Correction]) -> list[str]:
    """Return in sentences how often the test patients were looked at, and what that leaves of the results."""
    comparisons = max((each.comparisons for each in made.values()), default=0)
    notes = [looks.sentence]
    if comparisons > 1:
        earlier = comparisons - len(made)
        notes.append(
            f"p on test patients is corrected (Holm) for {comparisons} comparisons of wordings on them: "
            f"{len(made)} of this search, {earlier} of earlier ones"
        )
    sentences = (each.sentence(feature) for feature, each in made.items())
    return [*notes, *filter(None, sentences)]


def _comparison(feature: str, each: Mapping[str, Any]) -> str:
    return digest([feature, each["model"], each["begun"], each["chosen"]])


def _same_test(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[name] == other[name] for name in ("model", "recordings", "patients", "truths"))


def _holm(family: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return adjusted p by comparison and score; NaN where a score has none."""
    from statsmodels.stats.multitest import multipletests

    adjusted: dict[str, dict[str, float]] = {name: {} for name in family}
    for score in sorted({score for each in family.values() for score in each["p"]}):
        names = [name for name, each in family.items() if score in each["p"]]
        values = multipletests([family[name]["p"][score] for name in names], method="holm")[1]
        for name, value in zip(names, values, strict=True):
            adjusted[name][score] = float(value)
    return adjusted


def _gains(
    feature: str, mine: Mapping[str, Any], searches: Sequence[Mapping[str, Any]]
) -> tuple[float | None, float | None]:
    """Return the best gain in F1 over my first wording, and the gain of choosing the best on other patients."""
    answers = {str(mine["begun"]): mine["before"], str(mine["chosen"]): mine["after"]}
    for each in searches:
        answers.setdefault(str(each["begun"]), each["before"])
        answers.setdefault(str(each["chosen"]), each["after"])
    patients = tuple(dict.fromkeys(mine["patients"]))
    if len(patients) < 2 or len(answers) < 2:
        return None, None
    k = len(answers)
    asked = WordingAnswers(
        feature=feature,
        wordings=tuple(answers),
        families=("optimized",) * k,
        polarities=("positive",) * k,
        reference=0,
        recordings=tuple(mine["recordings"]),
        patients=patients,
        patient=np.array([patients.index(each) for each in mine["patients"]]),
        truth=encode(mine["truths"], TRUTHS, "truth"),
        answers=np.stack([encode_answers(each) for each in answers.values()]),
        three_classes=feature in THREE_CLASSES,
    )
    best = best_of_k(asked, folds=min(FOLDS, len(patients)), resamples=100)
    gains = best.apparent - best.reference, best.held_out.value - best.reference
    return (None, None) if any(map(math.isnan, gains)) else gains
