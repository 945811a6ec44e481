"""Which measures the S3 tables show for each kind of answer: order, names, and the baseline beside each.

``semiology.metrics`` says what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Rule = Literal["published", "sound"]


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        name: of the estimate.
        title: for people.
        rule: ``published`` follows the published rule; ``sound`` is ours.
        baseline: name of the baseline on the same recordings, or None.
        others: further answers without looking; the best of all is the floor that stands beside the measure.
        chance: value of a trivial baseline where it is the same for every set.
        less_is_better: as for errors.
    """

    name: str
    title: str
    rule: Rule
    baseline: str | None = None
    chance: float | None = None
    less_is_better: bool = False
    others: tuple[str, ...] = ()


TASK_TITLES: Mapping[str, str] = {
    "s3_justification": "task 2: is the feature there, and why",
    "s3_head_turning_side": "task 3: side of head turning",
    "s3_arm_movement_side": "task 3: side of arm movement",
    "s3_onset_region": "task 3: region of onset",
    "s3_onset_time": "task 4: onset of each feature",
    "s3_seizure_start": "task 4: start of the seizure",
    "s3_seizure_end": "task 4: end of the seizure",
    "s3_sequence": "task 5: order of the features",
    "s3_report": "task 6: report",
    "s3_diagnosis": "task 7: ES or NES",
    "s3_diagnosis_with_report": "task 7: ES or NES, with the clinical report",
}
"""Every S3 task in the order of the tables."""
TWO_STAGE_TASK = "s3_two_stage"
TWO_STAGE_TITLE = "task 7: ES or NES, by a classifier on the answers to the features (two stages)"
"""What is no task of lmms-eval: its answers are made from those on the features."""


def _binary(positive: str) -> tuple[Measure, ...]:
    always = f"always_{positive}"
    return (
        Measure("published_precision", f"precision ({positive})", "published", f"{always}_accuracy"),
        Measure("published_recall", f"recall ({positive})", "published", f"{always}_recall"),
        Measure("published_f1", f"F1 ({positive})", "published", f"{always}_f1"),
        Measure("published_accuracy", "accuracy", "published", "best_constant_accuracy"),
        Measure("precision", f"precision ({positive})", "sound", f"{always}_accuracy"),
        Measure("recall", f"recall ({positive})", "sound", f"{always}_recall"),
        Measure("f1", f"F1 ({positive})", "sound", f"{always}_f1"),
        *_OF_CLASSES,
    )


_OF_CLASSES = (
    Measure("accuracy", "accuracy", "sound", "best_constant_accuracy"),
    Measure("balanced_accuracy", "balanced accuracy", "sound", "constant_balanced_accuracy"),
    Measure("macro_precision", "macro precision", "sound", "best_constant_macro_precision"),
    Measure("macro_f1", "macro F1", "sound", "best_constant_macro_f1"),
    Measure("mcc", "MCC", "sound", chance=0.0),
)


def _of_order(name: str, title: str, rule: Rule, *, less_is_better: bool = False) -> Measure:
    """Return a measure of a list of features beside the same list for all: the typical one, every feature, none."""
    others = (f"every_sign_{name}", f"empty_{name}")
    return Measure(name, title, rule, f"typical_{name}", less_is_better=less_is_better, others=others)


_RQI_PARTS: Mapping[str, str] = {
    **{part: part for part in ("sections", "coverage", "locations", "order")},
    "base": "base, before the factors",
    "hallucination": "factor for features not there (1: none)",
    "off_topic": "factor for other topics (1: none)",
    "length": "factor for length (1: as it should be)",
    "hazard": "factor for hazards (1: none)",
}
"""Parts of the RQI and what they are called: of a factor, 1 takes nothing off."""

MEASURES: Mapping[str, tuple[Measure, ...]] = {
    "justification": (
        Measure(
            "interpretation",
            "interpretation score",
            "published",
            "always_no_interpretation",
            others=("bare_interpretation",),
        ),
        Measure("rouge_l", "ROUGE-L", "published"),
        Measure("rouge1", "ROUGE-1", "published"),
        Measure("bleu", "BLEU (0 to 100)", "published"),
        Measure("bertscore", "BERTScore F1", "published"),
        Measure(
            "interpretation_where_present",
            "interpretation score where the feature is there",
            "sound",
            "bare_interpretation_where_present",
        ),
        Measure(
            "interpretation_where_seen",
            "interpretation score where it is seen",
            "sound",
            "bare_interpretation_where_seen",
        ),
        Measure("f1", "F1 of yes", "sound", "always_yes_f1"),
    ),
    "side": _binary("right"),
    "diagnosis": _binary("ES"),
    "region": (
        Measure("published_precision", "macro precision", "published"),
        Measure("published_recall", "macro recall", "published"),
        Measure("published_f1", "macro F1", "published", "best_constant_macro_f1"),
        Measure("published_accuracy", "accuracy", "published", "best_constant_accuracy"),
        *_OF_CLASSES,
    ),
    "time": (
        Measure(
            "mae",
            "mean error, s",
            "published",
            "middle_mae",
            less_is_better=True,
            others=("best_constant_mae",),
        ),
        Measure(
            "charged_mae",
            "mean error, unread charged, s",
            "sound",
            "middle_mae",
            less_is_better=True,
            others=("best_constant_mae",),
        ),
        Measure("hit_1s", "within 1 s", "sound", "middle_hit_1s"),
        Measure("hit_2s", "within 2 s", "sound", "middle_hit_2s"),
        Measure("hit_5s", "within 5 s", "sound", "middle_hit_5s"),
    ),
    "sequence": (
        _of_order("edit_distance", "edit distance", "published", less_is_better=True),
        _of_order("lcs_ratio", "LCS ratio", "published"),
        _of_order("position_share", 'position share ("temporal F1")', "published"),
        _of_order("normalised_edit_distance", "edit distance / length", "sound", less_is_better=True),
        _of_order("lcs_f1", "LCS F1", "sound"),
        _of_order("sign_f1", "F1 of the features, any order", "sound"),
        _of_order("relation_precision", "pairs in order, precision", "sound"),
        _of_order("relation_recall", "pairs in order, recall", "sound"),
        _of_order("relation_f1", "pairs in order, F1", "sound"),
        _of_order("order_accuracy", "order of the pairs named rightly", "sound"),
    ),
    "report": (
        Measure("rqi", "Seizure-RQI (0 to 100)", "published", "other_rqi", others=("empty_rqi",)),
        Measure(
            "rqi_length_power",
            "RQI, length penalty as a power",
            "published",
            "other_rqi",
            others=("empty_rqi",),
        ),
        Measure(
            "rqi_hazard_cap_50", "RQI, hazard capped at 50", "published", "other_rqi", others=("empty_rqi",)
        ),
        *(Measure(f"rqi_{part}", f"RQI: {title}", "published") for part, title in _RQI_PARTS.items()),
        Measure("rqi_hallucinated", "RQI: features not there", "published", less_is_better=True),
        Measure("rouge1", "ROUGE-1", "published"),
        Measure("rouge_l", "ROUGE-L", "published", "other_rouge_l"),
        Measure("bleu", "BLEU (0 to 100)", "published"),
        Measure("bertscore", "BERTScore F1", "published", "other_bertscore"),
        Measure(
            "stated_findings",
            "stated findings (0 to 100)",
            "sound",
            "other_stated_findings",
            others=("empty_stated_findings",),
        ),
        *(
            Measure(
                f"stated_findings_{part}",
                f"stated findings: {part}",
                "sound",
                f"other_stated_findings_{part}",
                others=(f"empty_stated_findings_{part}",),
            )
            for part in ("sections", "features", "locations", "order")
        ),
    ),
}
"""Measures by kind of answer."""
BASELINES: Mapping[str, str] = {
    "always_no_": "always no",
    "always_yes_": "always yes",
    "always_right_": "always right",
    "always_ES_": "always ES",
    "best_constant_": "best constant",
    "constant_": "any constant",
    "middle_": "always mid-clip",
    "every_sign_": "every feature",
    "typical_": "the same list",
    "other_": "another's report",
    "empty_": "nothing said",
    "bare_": "no reason given",
}
"""How baselines are called in tables, by how their names begin."""
