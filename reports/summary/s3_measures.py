"""Which figures the S3 tables show for each kind of answer: order, names, and the baseline beside each.

``semiology.metrics`` says what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Rule = Literal["published", "sound"]


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: of the estimate.
        title: for people.
        rule: ``published`` follows the published rule; ``sound`` is ours.
        baseline: name of the baseline on the same recordings, or None.
        chance: value of an answer without skill where it is the same for every set.
        less_is_better: as for errors.
    """

    name: str
    title: str
    rule: Rule
    baseline: str | None = None
    chance: float | None = None
    less_is_better: bool = False


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


def _binary(positive: str) -> tuple[Figure, ...]:
    always = f"always_{positive}"
    return (
        Figure("published_precision", f"precision ({positive})", "published", f"{always}_accuracy"),
        Figure("published_recall", f"recall ({positive})", "published", f"{always}_recall"),
        Figure("published_f1", f"F1 ({positive})", "published", f"{always}_f1"),
        Figure("published_accuracy", "accuracy", "published", "best_constant_accuracy"),
        Figure("precision", f"precision ({positive})", "sound", f"{always}_accuracy"),
        Figure("recall", f"recall ({positive})", "sound", f"{always}_recall"),
        Figure("f1", f"F1 ({positive})", "sound", f"{always}_f1"),
        *_OF_CLASSES,
    )


_OF_CLASSES = (
    Figure("accuracy", "accuracy", "sound", "best_constant_accuracy"),
    Figure("balanced_accuracy", "balanced accuracy", "sound", "constant_balanced_accuracy"),
    Figure("macro_precision", "macro precision", "sound"),
    Figure("macro_f1", "macro F1", "sound", "best_constant_macro_f1"),
    Figure("mcc", "MCC", "sound", chance=0.0),
)
_RQI_PARTS: Mapping[str, str] = {
    **{part: part for part in ("sections", "coverage", "locations", "order")},
    "base": "base, before the factors",
    "hallucination": "factor for features not there (1: none)",
    "off_topic": "factor for other topics (1: none)",
    "length": "factor for length (1: as it should be)",
    "hazard": "factor for hazards (1: none)",
}
"""Parts of the RQI and what they are called: of a factor, 1 takes nothing off."""

FIGURES: Mapping[str, tuple[Figure, ...]] = {
    "justification": (
        Figure("interpretation", "interpretation score", "published", "always_no_interpretation"),
        Figure("rouge_l", "ROUGE-L", "published"),
        Figure("rouge1", "ROUGE-1", "published"),
        Figure("bleu", "BLEU (0 to 100)", "published"),
        Figure("bertscore", "BERTScore F1", "published"),
        Figure(
            "interpretation_where_present",
            "interpretation score where the feature is there",
            "sound",
            "always_no_interpretation_where_present",
        ),
        Figure("interpretation_where_seen", "interpretation score where it is seen", "sound"),
        Figure("f1", "F1 of yes", "sound", "always_yes_f1"),
    ),
    "side": _binary("right"),
    "diagnosis": _binary("ES"),
    "region": (
        Figure("published_precision", "macro precision", "published"),
        Figure("published_recall", "macro recall", "published"),
        Figure("published_f1", "macro F1", "published", "best_constant_macro_f1"),
        Figure("published_accuracy", "accuracy", "published", "best_constant_accuracy"),
        *_OF_CLASSES,
    ),
    "time": (
        Figure("mae", "mean error, s", "published", "middle_mae", less_is_better=True),
        Figure("charged_mae", "mean error, unread charged, s", "sound", "middle_mae", less_is_better=True),
        Figure("hit_1s", "within 1 s", "sound", "middle_hit_1s"),
        Figure("hit_2s", "within 2 s", "sound", "middle_hit_2s"),
        Figure("hit_5s", "within 5 s", "sound", "middle_hit_5s"),
    ),
    "sequence": (
        Figure("edit_distance", "edit distance", "published", "typical_edit_distance", less_is_better=True),
        Figure("lcs_ratio", "LCS ratio", "published", "typical_lcs_ratio"),
        Figure("position_share", 'position share ("temporal F1")', "published", "every_sign_position_share"),
        Figure(
            "normalised_edit_distance",
            "edit distance / length",
            "sound",
            "typical_normalised_edit_distance",
            less_is_better=True,
        ),
        Figure("lcs_f1", "LCS F1", "sound", "typical_lcs_f1"),
        Figure("sign_f1", "F1 of the features, any order", "sound", "typical_sign_f1"),
        Figure("relation_precision", "pairs in order, precision", "sound", "typical_relation_precision"),
        Figure("relation_recall", "pairs in order, recall", "sound", "typical_relation_recall"),
        Figure("relation_f1", "pairs in order, F1", "sound", "typical_relation_f1"),
        Figure("order_accuracy", "order of the pairs named rightly", "sound", chance=0.5),
    ),
    "report": (
        Figure("rqi", "Seizure-RQI (0 to 100)", "published", "other_rqi"),
        Figure("rqi_length_power", "RQI, length penalty as a power", "published", "other_rqi"),
        Figure("rqi_hazard_cap_50", "RQI, hazard capped at 50", "published", "other_rqi"),
        *(Figure(f"rqi_{part}", f"RQI: {title}", "published") for part, title in _RQI_PARTS.items()),
        Figure("rqi_hallucinated", "RQI: features not there", "published", less_is_better=True),
        Figure("rouge1", "ROUGE-1", "published"),
        Figure("rouge_l", "ROUGE-L", "published", "other_rouge_l"),
        Figure("bleu", "BLEU (0 to 100)", "published"),
        Figure("bertscore", "BERTScore F1", "published", "other_bertscore"),
        Figure("stated_findings", "stated findings (0 to 100)", "sound", "other_stated_findings"),
        *(
            Figure(f"stated_findings_{part}", f"stated findings: {part}", "sound")
            for part in ("sections", "features", "locations", "order")
        ),
    ),
}
"""Figures by kind of answer."""
BASELINE_TITLES: Mapping[str, str] = {
    "always_no_interpretation": "always no",
    "always_no_interpretation_where_present": "always no",
    "always_yes_f1": "always yes",
    "always_right_accuracy": "always right",
    "always_right_recall": "always right",
    "always_right_f1": "always right",
    "always_ES_accuracy": "always ES",
    "always_ES_recall": "always ES",
    "always_ES_f1": "always ES",
    "best_constant_accuracy": "best constant",
    "best_constant_macro_f1": "best constant",
    "constant_balanced_accuracy": "any constant",
    "middle_mae": "always mid-clip",
    "middle_hit_1s": "always mid-clip",
    "middle_hit_2s": "always mid-clip",
    "middle_hit_5s": "always mid-clip",
    "every_sign_position_share": "every feature",
    "other_rqi": "another's report",
    "other_rouge_l": "another's report",
    "other_bertscore": "another's report",
    "other_stated_findings": "another's report",
}
"""How a baseline is called beside a figure; those that begin with ``typical_`` are "the same list"."""


def baseline_title(name: str) -> str:
    """Return what a baseline is called in a table."""
    return (
        "the same list" if name.startswith("typical_") else BASELINE_TITLES.get(name, name.replace("_", " "))
    )
