"""Scores and intervals: plain functions over arrays and data frames, without file formats or model names.

The functions that a user needs first are in ``__all__``; each has an example. They are imported when first asked
for, since SciPy and its kin take a second to load.

>>> from semiology.metrics import cohen_kappa, score_run
>>> cohen_kappa(["yes", "yes", "no", "no"], ["yes", "no", "no", "no"])
0.5
"""

from importlib import import_module
from typing import Any

_HOMES: dict[str, tuple[str, ...]] = {
    "agreement.coefficients": ("agreement_estimates", "cohen_kappa", "fleiss_kappa", "krippendorff_alpha"),
    "agreement.expert_ranking": ("ranking_agreement",),
    "coverage": ("count_answers",),
    "paired.comparison": ("compare_pairs",),
    "paired.power": ("patients_needed",),
    "published_rules": (
        "published_diagnosis_scores",
        "published_region_scores",
        "published_s3_task1_scores",
        "published_side_scores",
    ),
    "robustness.answers": ("wording_answers",),
    "robustness.best_wording": ("best_of_k",),
    "robustness.scores": ("robustness_of",),
    "s3.categorical": ("score_classes",),
    "s3.onset_time": ("score_onset_times",),
    "s3.scores": ("score_task",),
    "s3.sequence.measures": ("temporal_relation_scores",),
    "s3.sequence.scores": ("score_sequences",),
    "s3.text.interpretation_score": ("interpretation_score",),
    "s3.text.seizure_rqi": ("ReportFindings", "seizure_rqi", "stated_findings_score"),
    "scores.aggregation": ("any_yes", "recording_answers"),
    "scores.classification": ("binary_scores",),
    "scores.run_scores": ("score_run",),
    "statistics.bootstrap": ("mean_estimate",),
    "statistics.equivalence": ("share_equivalence", "wording_equivalence"),
    "statistics.intervals": ("Estimate", "proportion_estimate"),
    "statistics.mcnemar": ("mcnemar_mid_p",),
}
"""Public names by the file of this room that defines them."""
__all__ = [name for names in _HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
