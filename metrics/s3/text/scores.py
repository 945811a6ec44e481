"""The scores of S3 tasks 2 and 6, whose answers are texts: what was read from them, and their overlap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from semiology.metrics.arrays import Floats, mean_defined
from semiology.metrics.coverage import UNPARSED, AnswerCounts, count_answers, is_missing
from semiology.metrics.s3.part_scores import Drawing, PartScores, ReadingCounts
from semiology.metrics.s3.text.interpretation_score import (
    explained_score,
    interpretation_estimates,
    interpretation_parts,
    interpretation_score,
)
from semiology.metrics.s3.text.justification_rules import READERS
from semiology.metrics.s3.text.readers import RULES, TextReader
from semiology.metrics.s3.text.report_scores import other_patient_pairs, score_reports
from semiology.metrics.scores.aggregation import recording_answers
from semiology.metrics.scores.run_scores import score_run
from semiology.metrics.statistics.bootstrap import TaskScores, mean_estimate, pooled_estimate
from semiology.metrics.statistics.intervals import BOOTSTRAP, Estimate, not_estimable

if TYPE_CHECKING:
    import pandas as pd

Similarity = Callable[[Sequence[str], Sequence[str]], Floats]
"""BERTScore F1 of texts with one reference each, shape (n,)."""
NO_ENCODER = "no encoder was given: --bertscore-encoder FOLDER"


@dataclass(frozen=True)
class TextTools:
    """With what texts are compared: who reads them, and what gives their BERTScore, None without an encoder."""

    reader: TextReader = RULES
    similarity: Similarity | None = None


OFFLINE = TextTools()
"""The offline rules, and no BERTScore."""


def score_report_texts(frame: pd.DataFrame, drawing: Drawing, tools: TextTools) -> list[PartScores]:
    """Score the reports of one model (task 6); see `semiology.metrics.s3.scores.score_task`."""
    import pandas as pd

    from semiology.metrics.s3.text.bleu_rouge import other_patient_rouge_l

    answered = frame[[not is_missing(value) for value in frame["answer"]]]
    counts = count_answers(frame["answer"])
    if answered.empty:
        return [PartScores("", "", TaskScores({}, {}, counts))]
    texts = ["" if text == UNPARSED else str(text) for text in answered["answer"]]
    references, patients = answered["truth"].tolist(), answered["patient_id"].tolist()
    pairs = tools.reader.read_reports(texts, references)
    rows = pd.DataFrame(
        {
            "video_id": answered["video_id"].tolist(),
            "patient_id": patients,
            "report": [pair.report for pair in pairs],
            "reference": [pair.reference for pair in pairs],
            "shown": answered["shown"].tolist(),
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
    estimates |= _overlap(texts, references, patients, drawing, tools.similarity)
    baselines["other_rouge_l"] = other_patient_rouge_l(texts, references, patients)
    baselines["other_bertscore"] = float("nan")
    others = other_patient_pairs(patients)
    if tools.similarity is not None and others:
        similarity = tools.similarity([texts[i] for i, _ in others], [references[j] for _, j in others])
        baselines["other_bertscore"] = float(similarity.mean())
    judged = [pair.judged for pair, text in zip(pairs, texts, strict=True) if text]
    return [PartScores("", "", TaskScores(estimates, baselines, counts), _counted(judged))]


def score_justification_texts(frame: pd.DataFrame, drawing: Drawing, tools: TextTools) -> list[PartScores]:
    """Score answers and justifications of one model (task 2), all and by feature."""
    replied = frame[[not is_missing(value) for value in frame["answer"]]]
    whole = _explained(replied, drawing, tools)
    parts = [replace(whole, scores=replace(whole.scores, counts=count_answers(frame["answer"])))]
    features = sorted(set(frame["feature"]))
    for feature in features if len(features) > 1 else ():
        part = _explained(replied[replied["feature"] == feature], drawing, tools)
        asked = frame.loc[frame["feature"] == feature, "answer"]
        parts.append(replace(part, part=feature, scores=replace(part.scores, counts=count_answers(asked))))
    return parts


def is_compared(answer: str, truth: str, reference: str | None) -> bool:
    """Return whether the interpretation score of an answer depends on what is read from its justification."""
    return answer == truth and isinstance(reference, str) and bool(reference)


def _explained(replied: pd.DataFrame, drawing: Drawing, tools: TextTools) -> PartScores:
    """Return the scores of the answers and, where the expert gave a justification, of the model's."""
    estimates: dict[str, Estimate] = {}
    baselines: dict[str, float] = {}
    readings: ReadingCounts | None = None
    if len(replied):
        rows = replied[["video_id", "patient_id", "feature", "answer", "truth"]].assign(segment=0)
        run = score_run(recording_answers(rows), seed=drawing["seed"])
        if len(run.features) == 1:
            estimates["f1"] = run.features[0].estimates["f1"]
            baselines["always_yes_f1"] = run.features[0].always_yes_f1
        elif run.macros:
            estimates["f1"] = run.macros[0].estimates["f1"]
            baselines["always_yes_f1"] = run.macros[0].estimates["always_yes_f1"].value
    answered = replied[[isinstance(text, str) and bool(text) for text in replied["reference"]]]
    if len(answered):
        texts = [text if isinstance(text, str) else "" for text in answered["justification"]]
        patients = answered["patient_id"].tolist()
        scores, explained, readings = interpretation_scores(answered, texts, tools.reader)
        estimates |= interpretation_estimates(
            answered, scores, "interpretation", explained=explained, **drawing
        )
        estimates |= _overlap(texts, answered["reference"].tolist(), patients, drawing, tools.similarity)
        baselines["always_no_interpretation"] = float((answered["truth"] == "no").mean())
        baselines["always_no_interpretation_where_present"] = 0.0
        baselines |= _without_a_reason(answered, tools.reader)
    return PartScores("", "", TaskScores(estimates, baselines, AnswerCounts(0, 0, 0, 0)), readings)


def _without_a_reason(answered: pd.DataFrame, reader: TextReader) -> dict[str, float]:
    """Return what the same answer to everything, without a reason, scores: the better of yes and no."""
    found: dict[str, float] = {}
    for answer in ("yes", "no"):
        bare = answered.assign(answer=answer)
        scores, explained, _ = interpretation_scores(bare, [""] * len(bare), reader)
        parts = interpretation_parts(bare, scores, "bare_interpretation", explained)
        for name, values in parts.items():
            found[name] = float(np.fmax(found.get(name, np.nan), mean_defined(values)))
    return found


def interpretation_scores(
    answered: pd.DataFrame, texts: Sequence[str], reader: TextReader
) -> tuple[Floats, Floats, ReadingCounts]:
    """Return interpretation and explained score of each answer, and who read what they depend on.

    NaN for a feature whose justifications no rule reads.
    """
    scores: list[float] = []
    explained: list[float] = []
    judged: list[bool] = []
    names = ["feature", "answer", "truth", "reference"]
    for (feature, answer, truth, reference), said in zip(
        answered[names].itertuples(index=False), texts, strict=True
    ):
        if feature not in READERS:  # no rule reads its justifications, so nothing is known about any of them
            scores.append(float("nan"))
            explained.append(float("nan"))
            continue
        if not is_compared(answer, truth, reference):
            scores.append(0.0)
            known = reader.read_reference(feature, reference)
            explained.append(explained_score(answer, truth, [None] * len(known), known))
            continue
        pair = reader.read_justification(feature, said, reference)
        scores.append(interpretation_score(answer, truth, pair.said, pair.reference))
        explained.append(explained_score(answer, truth, pair.said, pair.reference))
        if said and pair.reference:  # a feature without questions is not read
            judged.append(pair.judged)
    return np.array(scores, dtype=np.float64), np.array(explained, dtype=np.float64), _counted(judged)


def _overlap(
    texts: Sequence[str],
    references: Sequence[str],
    patients: Sequence[Any],
    drawing: Drawing,
    similarity: Similarity | None,
) -> dict[str, Estimate]:
    """Return ROUGE-1, ROUGE-L and BERTScore over recordings, and BLEU of the whole collection."""
    from semiology.metrics.s3.text.bleu_rouge import bleu_of_statistics, bleu_statistics, rouge

    overlap = rouge(texts, references)
    estimates = {
        "rouge1": mean_estimate(overlap.rouge1, patients, **drawing),
        "rouge_l": mean_estimate(overlap.rouge_l, patients, **drawing),
        "bleu": pooled_estimate(
            {"bleu": bleu_statistics(texts, references)},
            patients,
            lambda sums: bleu_of_statistics(sums["bleu"]),
            **drawing,
        ),
    }
    if similarity is None:
        missing = not_estimable(float("nan"), BOOTSTRAP, len(texts), len(set(patients)), NO_ENCODER)
        return estimates | {"bertscore": missing}
    return estimates | {"bertscore": mean_estimate(similarity(texts, references), patients, **drawing)}


def _counted(judged: Sequence[bool]) -> ReadingCounts:
    return ReadingCounts(sum(judged), len(judged) - sum(judged))
