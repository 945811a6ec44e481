"""What a comparison shows, in plain sentences.

The test decides, not the interval: both are printed, and where they disagree the sentence says so.
"""

from __future__ import annotations

import math

from semiology.metrics.paired.comparison import PairedComparison, PairedFeature, PairedScore
from semiology.metrics.paired.repeat_noise import Noise
from semiology.metrics.paired.tables import END_POINTS
from semiology.metrics.paired.verdict import Verdict, few_patients_to_test, verdict
from semiology.render.text import counted, number_text
from semiology.reports.compare.comparison import Comparison
from semiology.reports.tables.feature_counts import count_sentence

NAMES = {"balanced_accuracy": "balanced accuracy", "f1": "F1", "accuracy": "accuracy", "auroc": "AUROC"}


def primary_sentences(comparison: Comparison) -> list[str]:
    """Return one sentence per primary end point, with the names of the sides."""
    result = comparison.result
    if not result.macro:
        return ["No macro mean: no feature has recordings with and without the feature."]
    names = (comparison.first, comparison.second)
    return [
        f"Macro {NAMES[m]} over {counted(len(result.macro_features[m]), 'feature')}: "
        f"{_sentence(result.macro[m], result, names, 'both end points')}"
        for m in END_POINTS
    ]


def feature_sentence(
    feature: PairedFeature, comparison: Comparison, measure: str = "f1", names: tuple[str, str] = ("A", "B")
) -> str:
    """Return one sentence on one feature; it calls itself exploratory where it claims anything.

    Args:
        feature, comparison: what it is about. measure: the score.
        names: of the first and the second side.
    """
    result = comparison.result
    score = feature.scores[measure]
    count = sum(not math.isnan(each.scores[measure].p_max_t) for each in result.features)
    family = f"{count} features" if count > 1 else "the one feature"
    text = _sentence(score, result, names, family)
    claims = verdict(score, result.alpha) in ("higher", "lower", "equivalent")
    return f"{feature.feature}: {text}{' Exploratory.' if claims else ''}"


def count_sentences(comparison: Comparison) -> list[str]:
    """Return in how many features the second side is better, by each measure, with both tests of the count."""
    return [
        count_sentence(found, NAMES[measure], comparison.second, comparison.first)
        for measure, found in comparison.result.counts.items()
        if found.features > 1
    ]


def ranking_sentence(comparison: Comparison) -> str:
    """Return one sentence on the AUROC of P(yes), or on why there is none."""
    ranking = comparison.ranking
    if ranking is None:
        return "AUROC is not compared: P(yes) is needed of both sides, which `score=logprob` records."
    if ranking.macro is None:
        return "AUROC is not compared: no feature has recordings with and without it where both sides have P(yes)."
    unknown = f" {counted(ranking.n_unknown, 'answer')} without P(yes) left out." if ranking.n_unknown else ""
    text = _sentence(ranking.macro, comparison.result, (comparison.first, comparison.second), "")
    return (
        f"Mean AUROC of P(yes) over {counted(len(ranking.features), 'feature')}: {text} Exploratory.{unknown}"
    )


def repeat_sentences(comparison: Comparison, measure: str = "f1") -> list[str]:
    """Return what repeats say of the end points and of each feature; empty where none are given."""
    noise = comparison.repeats
    if noise is None:
        return []
    rows = [row for row in noise.rows if row.measure in END_POINTS and row.name[0].isdigit()]
    rows += [row for row in noise.rows if row.measure == measure and not row.name[0].isdigit()]
    told = [_repeat_sentence(row) for row in rows if not math.isnan(row.difference)]
    return [*noise.notes, *told]


def _repeat_sentence(row: Noise) -> str:
    what = f"{row.name}, {NAMES[row.measure]}" if row.name[0].isdigit() else row.name
    if row.spread == 0:
        return f"{what}: repeats answer alike, so asking again explains nothing of {row.difference:+.3f}."
    explained = "" if math.isnan(row.part) else f" and explains {row.part:.0%} of its square"
    text = f"{what}: asking again moves a difference by {row.spread:.3f} (SD){explained}"
    if row.within:
        return f"{text}: {row.difference:+.3f} is within repeat noise, so not a better or worse model."
    return f"{text}: {row.difference:+.3f} is beyond repeat noise."


def difference_text(score: PairedScore) -> str:
    """Return a difference with its interval."""
    difference = score.difference
    if math.isnan(difference.value):
        return "–"
    if difference.low is None or difference.high is None:
        return f"{difference.value:+.3f} (no interval)"
    return f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"


def p_text(p: float) -> str:
    """Return a p-value for people; never 0."""
    return number_text(p, "p")


def _sentence(score: PairedScore, result: PairedComparison, names: tuple[str, str], family: str) -> str:
    kind = verdict(score, result.alpha)
    if kind == "undefined":
        return "undefined, as the recordings do not hold what it needs."
    if kind == "same answers":
        return "the answers are the same, so there is nothing to test."
    first, second = names
    seen = f"{second} {score.second:.3f}, {first} {score.first:.3f}, difference {difference_text(score)}"
    caution = f" Caution, {score.difference.caution}." if score.difference.caution else ""
    plain, adjusted = (
        text if text[0] == "<" else f"= {text}" for text in map(p_text, (score.p_value, score.p_max_t))
    )
    p = f"patient sign-flip p {plain}"
    if family:
        p += (
            f"; for {family} p {adjusted}"
            if not math.isnan(score.p_max_t)
            else "; not among the features tested"
        )
    return f"{seen}. {_claim(kind, score, second, p, result)}{caution}"


def _claim(kind: Verdict, score: PairedScore, second: str, p: str, result: PairedComparison) -> str:
    margin = score.equivalence.margin
    if kind in ("higher", "lower"):
        small = score.equivalence.verdict == "equivalent"
        return f"{second} is {kind}{f', yet by less than the margin of {margin:g}' if small else ''} ({p})."
    if kind == "equivalent":
        return f"The two are equivalent within ±{margin:g} (the 90 % interval lies inside; {p})."
    if kind == "too few":
        patients = (
            f"{counted(score.difference.n_patients, 'patient')} cannot give a p-value below {result.alpha:g}"
        )
        reason = patients if few_patients_to_test(score, result.alpha) else score.difference.reason
        return f"Nothing can be shown: {reason} ({p})."
    low, high = score.difference.low, score.difference.high
    assert low is not None
    assert high is not None
    if low > 0 or high < 0:
        return f"Not shown: the interval leaves 0 out, the adjusted test, which decides, does not ({p})."
    return f"Not shown; anything from {low:+.3f} to {high:+.3f} is not excluded ({p})."
