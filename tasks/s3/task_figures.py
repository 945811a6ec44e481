"""The figures of each kind of answer, from one frame of recording answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from semiology.metrics.diagnosis import score_diagnosis
from semiology.metrics.interpretation_score import interpretation_score
from semiology.metrics.justification_extraction import extract_answers
from semiology.metrics.laterality import score_sides
from semiology.metrics.lmms_eval_scores import run_scores
from semiology.metrics.localisation import score_onset_times
from semiology.metrics.onset_region import score_onset_regions
from semiology.metrics.patient_bootstrap import TaskScores, mean_estimate
from semiology.metrics.report_extraction import extract_findings
from semiology.metrics.report_quality import ReportFindings
from semiology.metrics.report_scores import score_reports
from semiology.metrics.sequence_scores import score_sequences
from semiology.tasks.s3.figure_names import FIGURES
from semiology.tasks.s3.records import UNPARSED
from semiology.tasks.s3.task_list import AnswerKind

if TYPE_CHECKING:
    import pandas as pd

    from semiology.metrics.intervals import Estimate

NAN = float("nan")


def figures(kind: AnswerKind, frame: pd.DataFrame) -> dict[str, float]:
    """Return every figure of a kind of answer; NaN where it is undefined or has no interval.

    Args:
        kind: Kind of answer.
        frame: Rows of :func:`semiology.tasks.s3.recording_answers.recording_answers`.
    """
    found = _SCORERS[kind](frame) if len(frame) else {}
    unparsed = [isinstance(value, str) and value == UNPARSED for value in frame.get("answer", ())]
    found["unparsed_rate"] = float(np.mean(unparsed)) if unparsed else NAN
    return {name: float(found.get(name, NAN)) for name in FIGURES[kind]}


def _named(scores: TaskScores, main: str, suffix: str = "") -> dict[str, float]:
    """Return all estimates and baselines by name, and the limits of the main figure."""
    values = {f"{name}{suffix}": estimate.value for name, estimate in scores.estimates.items()}
    limits = _limits(scores.estimates[main], f"{main}{suffix}")
    return {**{f"{name}{suffix}": value for name, value in scores.baselines.items()}, **values, **limits}


def _limits(estimate: Estimate, name: str) -> dict[str, float]:
    low, high = estimate.low, estimate.high
    return {f"{name}_low": NAN if low is None else low, f"{name}_high": NAN if high is None else high}


def _side(frame: pd.DataFrame) -> dict[str, float]:
    values = _named(score_sides(frame), "accuracy")
    return values | {"right_f1": values.get("f1", NAN)}


def _region(frame: pd.DataFrame) -> dict[str, float]:
    return _named(score_onset_regions(frame), "accuracy")


def _diagnosis(frame: pd.DataFrame) -> dict[str, float]:
    return _named(score_diagnosis(frame), "f1")


def _sequence(frame: pd.DataFrame) -> dict[str, float]:
    return _named(score_sequences(frame), "lcs_f1")


def _time(frame: pd.DataFrame) -> dict[str, float]:
    """Return the figures of each form of clip: plain means over features, the limits only of a sole one."""
    found: dict[str, float] = {}
    for form, rows in frame.groupby("clip_form"):
        per_feature = [_onsets(part, str(form)) for _, part in rows.groupby("feature")]
        names = per_feature[0].keys()
        found |= {name: _mean([values[name] for values in per_feature]) for name in names}
        if len(per_feature) > 1:
            found |= _pooled_limits(rows, f"mae_{form}")
    return found


def _onsets(part: pd.DataFrame, form: str) -> dict[str, float]:
    seconds = [NAN if value == UNPARSED else float(value) for value in part["answer"]]
    rows = part.assign(target_s=part["truth"], answer_s=seconds, answered=True)
    values = _named(score_onset_times(rows), "mae", f"_{form}")
    return values | {f"always_middle_mae_{form}": values[f"middle_mae_{form}"]}


def _pooled_limits(rows: pd.DataFrame, name: str) -> dict[str, float]:
    """Return the limits of the mean over features, by patients.

    Every error weighs as its feature's share of the mean, so that the interval belongs to the macro figure.
    """
    read = rows[rows["answer"] != UNPARSED]
    errors = np.abs(read["answer"].astype(float) - read["truth"].astype(float))
    sizes = read.groupby("feature")["feature"].transform("size")
    weights = len(read) / (sizes * read["feature"].nunique())
    return _limits(mean_estimate((errors * weights).to_numpy(), read["patient_id"].tolist()), name)


def _report(frame: pd.DataFrame) -> dict[str, float]:
    import pandas as pd

    rows = pd.DataFrame(
        {
            "video_id": frame["video_id"].tolist(),
            "patient_id": frame["patient_id"].tolist(),
            "report": [
                ReportFindings() if text == UNPARSED else extract_findings(text) for text in frame["answer"]
            ],
            "reference": [extract_findings(text) for text in frame["truth"]],
            "shown": frame["shown"].tolist(),
        }
    )
    texts = ["" if text == UNPARSED else text for text in frame["answer"]]
    return _named(score_reports(rows), "rqi") | _overlap(texts, frame["truth"].tolist())


def _justification(frame: pd.DataFrame) -> dict[str, float]:
    answers = run_scores(_as_windows(frame))
    if len(answers.features) == 1:
        only = answers.features[0]
        found = {"f1": only.estimates["f1"].value, "always_yes_f1": only.always_yes_f1}
    else:
        macro = answers.macros[0].estimates
        found = {"f1": macro["f1"].value, "always_yes_f1": macro["always_yes_f1"].value}
    told = frame[[isinstance(text, str) and bool(text) for text in frame["reference"]]]
    found["references"] = float(len(told))
    if len(told):
        texts = [text or "" for text in told["justification"]]
        found |= _overlap(texts, told["reference"].tolist()) | _interpretations(told)
    return found


def _as_windows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    names = ["video_id", "patient_id", "feature", "answer", "truth"]
    return [
        {**dict(zip(names, row, strict=True)), "segment": 0} for row in frame[names].itertuples(index=False)
    ]


def _interpretations(told: pd.DataFrame) -> dict[str, float]:
    """Return the Seizure Semiology Interpretation Score over recordings with an expert's justification."""
    names = ["feature", "answer", "truth", "justification", "reference"]
    scores = [
        interpretation_score(
            answer, truth, extract_answers(feature, said or ""), extract_answers(feature, reference)
        )
        for feature, answer, truth, said, reference in told[names].to_numpy(dtype=object).tolist()
    ]
    patients = told["patient_id"].tolist()
    shown = told["truth"] == "yes"
    whole = mean_estimate(scores, patients)
    return {
        "interpretation": whole.value,
        **_limits(whole, "interpretation"),
        "always_no_interpretation": float((told["truth"] == "no").mean()),
        "interpretation_where_present": _mean([s for s, yes in zip(scores, shown, strict=True) if yes]),
    }


def _overlap(texts: list[str], references: list[str]) -> dict[str, float]:
    """Return the overlap of texts with their references, ROUGE-L and corpus BLEU."""
    from semiology.metrics.text_overlap import corpus_bleu, rouge

    return {
        "rouge_l": float(rouge(texts, references).rouge_l.mean()),
        "bleu": corpus_bleu(texts, references),
    }


def _mean(values: list[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else NAN


_SCORERS: Mapping[AnswerKind, Callable[[Any], dict[str, float]]] = {
    "justification": _justification,
    "side": _side,
    "region": _region,
    "time": _time,
    "sequence": _sequence,
    "report": _report,
    "diagnosis": _diagnosis,
}
