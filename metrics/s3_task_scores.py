"""Every score of an S3 task, whole and by sign, from one row per recording: published rules and sound ones.

The figures whose name begins with ``published_`` and those that their docstrings call published follow the
published rule to the letter; the others charge what was not understood and give every class its weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from semiology.metrics.aggregation import recording_answers
from semiology.metrics.answer_counts import UNPARSED, AnswerCounts, count_answers, is_missing
from semiology.metrics.diagnosis import DIAGNOSES, score_diagnosis
from semiology.metrics.interpretation_score import interpretation_score
from semiology.metrics.intervals import BOOTSTRAP, RESAMPLES, Estimate, not_estimable
from semiology.metrics.justification_extraction import extract_answers
from semiology.metrics.laterality import SIDES, score_sides
from semiology.metrics.localisation import TOLERANCES_S, absolute_errors, charged_errors, score_onset_times
from semiology.metrics.onset_region import REGIONS, score_onset_regions
from semiology.metrics.patient_bootstrap import TaskScores, mean_estimate
from semiology.metrics.published_classes import published_class_estimates
from semiology.metrics.report_extraction import extract_findings
from semiology.metrics.report_quality import ReportFindings
from semiology.metrics.report_scores import score_reports
from semiology.metrics.s3_recording_answers import AnswerKind
from semiology.metrics.scores import score_run
from semiology.metrics.sequence_scores import score_sequences

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
Drawing = Mapping[str, Any]
"""Number of resamples and seed of the draws of patients, by name."""


@dataclass(frozen=True)
class PartScores:
    """Scores of a whole task or of one part of it.

    Attributes:
        part: the sign, or an empty string for the whole task.
        clip_form: ``centred`` or ``random`` for times, else an empty string.
        scores: with intervals, baselines and counts; the counts of a whole task over several signs are of
            questions (recording and sign), not of recordings.
    """

    part: str
    clip_form: str
    scores: TaskScores


def score_task(
    kind: AnswerKind, frame: pd.DataFrame, *, resamples: int = RESAMPLES, seed: int = 0
) -> list[PartScores]:
    """Return the scores of one model on one task: the whole first, then by sign where there are several.

    Args:
        kind: kind of answer.
        frame: rows of `semiology.metrics.s3_recording_answers.recording_answers`; an answer of None is
            missing.
        resamples, seed: of the draws of patients.

    No rows give no scores.

    Raises:
        ValueError: a recording is there twice, or a value is outside its vocabulary.
    """
    return _SCORERS[kind](frame, {"resamples": resamples, "seed": seed}) if len(frame) else []


def _classes(
    score: Callable[..., TaskScores], classes: Sequence[str], positive: str | None
) -> Callable[[Any, Drawing], list[PartScores]]:
    def scored(frame: pd.DataFrame, drawing: Drawing) -> list[PartScores]:
        sound = score(frame, **drawing)
        published = published_class_estimates(frame, classes, positive=positive, **drawing)
        estimates = {f"published_{name}": value for name, value in published.items()}
        distinct = {truth for truth in frame["truth"] if not is_missing(truth)}
        chance = 1 / len(distinct) if distinct else NAN
        baselines = {**sound.baselines, "constant_balanced_accuracy": chance}
        if positive is not None:
            baselines[f"always_{positive}_recall"] = 1.0 if positive in distinct else NAN
        return [PartScores("", "", TaskScores({**estimates, **sound.estimates}, baselines, sound.counts))]

    return scored


def _sequence(frame: pd.DataFrame, drawing: Drawing) -> list[PartScores]:
    return [PartScores("", "", score_sequences(frame, **drawing))]


def _time(frame: pd.DataFrame, drawing: Drawing) -> list[PartScores]:
    seconds = [NAN if is_missing(v) or v == UNPARSED else float(v) for v in frame["answer"]]
    given = [not is_missing(value) for value in frame["answer"]]
    rows = frame.assign(target_s=frame["truth"].astype(float), answer_s=seconds, answered=given)
    wholes, parts = [], []
    for form, of_form in rows.groupby("clip_form", sort=True):
        scored = {
            str(sign): score_onset_times(part, **drawing)
            for sign, part in of_form.groupby("feature", sort=True)
        }
        if len(scored) == 1:
            wholes.append(PartScores("", str(form), next(iter(scored.values()))))
            continue
        wholes.append(PartScores("", str(form), _mean_over_signs(of_form, list(scored.values()), drawing)))
        parts += [PartScores(sign, str(form), scores) for sign, scores in scored.items()]
    return wholes + parts


def _mean_over_signs(rows: pd.DataFrame, scored: Sequence[TaskScores], drawing: Drawing) -> TaskScores:
    """Return plain means over signs.

    In the interval every error weighs as its sign's share of the mean, so that it belongs to that figure.
    """
    replied = rows[rows["answered"]]
    target, answer = replied["target_s"].tolist(), replied["answer_s"].tolist()
    errors = absolute_errors(target, answer)
    values = {"mae": errors, "charged_mae": charged_errors(target, answer)}
    for tolerance in TOLERANCES_S:
        values[f"hit_{tolerance:g}s"] = np.where(np.isnan(errors), 0.0, (errors <= tolerance).astype(float))
    signs, patients = replied["feature"].to_numpy(dtype=object), replied["patient_id"].tolist()
    estimates = {
        name: mean_estimate(column * _weights(signs, ~np.isnan(column)), patients, **drawing)
        for name, column in values.items()
    }
    names = scored[0].baselines
    baselines = {name: _mean([scores.baselines[name] for scores in scored]) for name in names}
    return TaskScores(estimates, baselines, _total([scores.counts for scores in scored]))


def _weights(signs: Any, counted: Any) -> Any:
    """Return weights that make a mean over answers the mean over signs; only counted answers have one."""
    known, codes = np.unique(signs[counted].astype(str), return_inverse=True)
    sizes = np.bincount(codes, minlength=len(known)) if len(known) else np.zeros(0)
    weights = np.full(len(signs), np.nan)
    weights[counted] = counted.sum() / (sizes[codes] * len(known)) if len(known) else NAN
    return weights


def _report(frame: pd.DataFrame, drawing: Drawing) -> list[PartScores]:
    import pandas as pd

    from semiology.metrics.text_overlap import other_patient_rouge_l

    told = frame[[not is_missing(value) for value in frame["answer"]]]
    counts = count_answers(frame["answer"])
    if told.empty:
        return [PartScores("", "", TaskScores({}, {}, counts))]
    texts = ["" if text == UNPARSED else str(text) for text in told["answer"]]
    rows = pd.DataFrame(
        {
            "video_id": told["video_id"].tolist(),
            "patient_id": told["patient_id"].tolist(),
            "report": [extract_findings(text) if text else ReportFindings() for text in texts],
            "reference": [extract_findings(text) for text in told["truth"]],
            "shown": told["shown"].tolist(),
        }
    )
    scores = score_reports(rows, **drawing)
    estimates, baselines = dict(scores.estimates), dict(scores.baselines)
    variants: Mapping[str, Mapping[str, Any]] = {
        "rqi_length_power": {"length_rule": "power"},
        "rqi_hazard_cap_50": {"hazard_rule": "cap_50"},
    }
    for name, rule in variants.items():
        estimates[name] = score_reports(rows, **rule, **drawing).estimates["rqi"]
    references, patients = told["truth"].tolist(), told["patient_id"].tolist()
    estimates |= _overlap(texts, references, patients, drawing)
    baselines["other_rouge_l"] = other_patient_rouge_l(texts, references, patients)
    return [PartScores("", "", TaskScores(estimates, baselines, counts))]


def _justification(frame: pd.DataFrame, drawing: Drawing) -> list[PartScores]:
    replied = frame[[not is_missing(value) for value in frame["answer"]]]
    whole = _explained(replied, drawing)
    parts = [PartScores("", "", replace(whole, counts=count_answers(frame["answer"])))]
    signs = sorted(set(frame["feature"]))
    for sign in signs if len(signs) > 1 else ():
        scores = _explained(replied[replied["feature"] == sign], drawing)
        asked = frame.loc[frame["feature"] == sign, "answer"]
        parts.append(PartScores(sign, "", replace(scores, counts=count_answers(asked))))
    return parts


def _explained(replied: pd.DataFrame, drawing: Drawing) -> TaskScores:
    """Return the scores of the answers and, where the expert gave a justification, of the model's."""
    estimates: dict[str, Estimate] = {}
    baselines: dict[str, float] = {}
    if len(replied):
        rows = replied[["video_id", "patient_id", "feature", "answer", "truth"]].assign(segment=0)
        run = score_run(recording_answers(rows), **drawing)
        if len(run.features) == 1:
            estimates["f1"] = run.features[0].estimates["f1"]
            baselines["always_yes_f1"] = run.features[0].always_yes_f1
        elif run.macros:
            estimates["f1"] = run.macros[0].estimates["f1"]
            baselines["always_yes_f1"] = run.macros[0].estimates["always_yes_f1"].value
    told = replied[[isinstance(text, str) and bool(text) for text in replied["reference"]]]
    if len(told):
        texts = [text if isinstance(text, str) else "" for text in told["justification"]]
        patients = told["patient_id"].tolist()
        estimates |= _interpretations(told, texts, drawing)
        estimates |= _overlap(texts, told["reference"].tolist(), patients, drawing)
        baselines["always_no_interpretation"] = float((told["truth"] == "no").mean())
        baselines["always_no_interpretation_where_present"] = 0.0
    return TaskScores(estimates, baselines, AnswerCounts(0, 0, 0, 0))


def _interpretations(told: pd.DataFrame, texts: Sequence[str], drawing: Drawing) -> dict[str, Estimate]:
    """Return the Seizure Semiology Interpretation Score over all, those with the sign, and those seen."""
    names = ["feature", "answer", "truth", "reference"]
    scores = np.array(
        [
            interpretation_score(
                answer, truth, extract_answers(feature, said), extract_answers(feature, reference)
            )
            for (feature, answer, truth, reference), said in zip(
                told[names].itertuples(index=False), texts, strict=True
            )
        ]
    )
    present = (told["truth"] == "yes").to_numpy(dtype=bool)
    seen = present & (told["answer"] == "yes").to_numpy(dtype=bool)
    columns = {
        "interpretation": scores,
        "interpretation_where_present": np.where(present, scores, np.nan),
        "interpretation_where_seen": np.where(seen, scores, np.nan),
    }
    patients = told["patient_id"].tolist()
    return {name: mean_estimate(values, patients, **drawing) for name, values in columns.items()}


def _overlap(
    texts: Sequence[str], references: Sequence[str], patients: Sequence[Any], drawing: Drawing
) -> dict[str, Estimate]:
    """Return ROUGE-1 and ROUGE-L over recordings, and BLEU of the whole collection."""
    from semiology.metrics.text_overlap import corpus_bleu, rouge

    overlap = rouge(texts, references)
    reason = "BLEU is a figure of the whole collection"
    return {
        "rouge1": mean_estimate(overlap.rouge1, patients, **drawing),
        "rouge_l": mean_estimate(overlap.rouge_l, patients, **drawing),
        "bleu": not_estimable(
            corpus_bleu(texts, references), BOOTSTRAP, len(texts), len(set(patients)), reason
        ),
    }


def _total(counts: Sequence[AnswerCounts]) -> AnswerCounts:
    names = ("asked", "answered", "unparsed", "missing")
    return AnswerCounts(*(sum(getattr(one, name) for one in counts) for name in names))


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else NAN


_SCORERS: Mapping[AnswerKind, Callable[[Any, Drawing], list[PartScores]]] = {
    "justification": _justification,
    "side": _classes(score_sides, SIDES, "right"),
    "region": _classes(score_onset_regions, REGIONS, None),
    "time": _time,
    "sequence": _sequence,
    "report": _report,
    "diagnosis": _classes(score_diagnosis, DIAGNOSES, "ES"),
}
