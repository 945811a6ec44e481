"""The figures in lmms-eval's table for each kind of answer; ``semiology.metrics`` says what they are."""

from __future__ import annotations

from collections.abc import Mapping

from semiology.metrics.s3.recording_answers import AnswerKind

FIGURES: Mapping[AnswerKind, Mapping[str, bool | None]] = {
    "justification": {
        "f1": True, "always_yes_f1": None, "interpretation": True, "interpretation_low": None,
        "interpretation_high": None, "always_no_interpretation": None, "interpretation_where_present": True,
        "rouge_l": True, "bleu": True, "references": None, "merged_by_model": None, "unparsed_rate": False,
    },
    "side": {
        "accuracy": True, "accuracy_low": None, "accuracy_high": None, "macro_f1": True, "right_f1": True,
        "always_right_f1": None, "always_right_accuracy": None, "always_left_accuracy": None,
        "unparsed_rate": False,
    },
    "region": {
        "accuracy": True, "accuracy_low": None, "accuracy_high": None, "macro_f1": True,
        "balanced_accuracy": True, "best_constant_accuracy": None, "unparsed_rate": False,
    },
    "time": {
        name: better
        for form in ("centred", "random")
        for name, better in {
            f"mae_{form}": False, f"mae_{form}_low": None, f"mae_{form}_high": None,
            f"charged_mae_{form}": False, f"hit_5s_{form}": True, f"always_middle_mae_{form}": None,
        }.items()
    } | {"unparsed_rate": False},
    "sequence": {
        "lcs_f1": True, "lcs_f1_low": None, "lcs_f1_high": None, "relation_f1": True, "edit_distance": False,
        "lcs_ratio": True, "position_share": None, "sign_f1": True, "typical_lcs_f1": None,
        "typical_edit_distance": None, "unparsed_rate": False,
    },
    "report": {
        "rqi": True, "rqi_low": None, "rqi_high": None, "other_rqi": None, "empty_rqi": None,
        "stated_findings": True, "other_stated_findings": None, "rouge_l": True, "bleu": True,
        "merged_by_model": None, "unparsed_rate": False,
    },
    "diagnosis": {
        "f1": True, "f1_low": None, "f1_high": None, "always_ES_f1": None, "accuracy": True,
        "balanced_accuracy": True, "mcc": True, "unparsed_rate": False,
    },
}  # fmt: skip
"""Names of the figures and whether more is better (None: a limit, a baseline or a published oddity).

``merged_by_model`` is 1 where the language model of ``SEMIOLOGY_MERGE_MODEL`` merged the texts of the
windows behind the other figures, and 0 where each statement was taken once (also because it did not reply).
"""
