"""Overlap of a text with a reference: BLEU and ROUGE, each through its own library.

None of them knows what is clinically right (arXiv 2605.21852, Table 10: correlation with expert ratings
0.07 to 0.10). They are given for comparison with published tables, and `other_patient_rouge_l` tells what a
text about another patient scores. Texts and references come in equal numbers; ValueError is raised where there is
no text, or the lengths differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU

from semiology.metrics.arrays import Floats
from semiology.metrics.s3.text.report_scores import other_patient_pairs

LONGEST = 20_000


class Rouge(NamedTuple):
    """F-measures of ROUGE-1 and ROUGE-L of each text, shape (n,)."""

    rouge1: Floats
    rouge_l: Floats


def corpus_bleu(texts: Sequence[str], references: Sequence[str]) -> float:
    """Return the BLEU of a collection, 0 to 100, by sacrebleu with its defaults (13a, exponential smoothing).

    One reference per text; 0 for empty texts. The published table of task 6 is this score.
    """
    _check(texts, references)
    return float(sacrebleu.corpus_bleu([*map(_cut, texts)], [[*map(_cut, references)]]).score)


def bleu_statistics(texts: Sequence[str], references: Sequence[str]) -> Floats:
    """Return what each text adds to the BLEU of a collection, shape (n, 10): lengths and n-gram counts.

    The columns are the length of the text and of the reference, the n-grams of order 1 to 4 of the text that
    the reference has too, and all n-grams of the text.
    """
    measure = BLEU()
    rows = []
    for text, reference in _check(texts, references):
        one = measure.corpus_score([_cut(text)], [[_cut(reference)]])
        rows.append([one.sys_len, one.ref_len, *one.counts, *one.totals])
    return np.array(rows, dtype=np.float64)


def bleu_of_statistics(sums: Floats) -> Floats:
    """Return the BLEU, 0 to 100, of collections from the sums of their `bleu_statistics`, (B, 10) to (B,).

    Equal to `corpus_bleu` of the same texts.
    """
    wholes = sums.astype(np.int64).tolist()
    found = [BLEU.compute_bleu(w[2:6], w[6:], w[0], w[1], smooth_method="exp").score for w in wholes]
    return np.array(found, dtype=np.float64)


def bleu(texts: Sequence[str], references: Sequence[str]) -> Floats:
    """Return the BLEU of each text as a collection of one, 0 to 100, shape (n,).

    So computed beside the expert ratings of arXiv 2605.21852, Table 11. An empty text scores 0.
    """
    return np.array([corpus_bleu([text], [one]) for text, one in _check(texts, references)], dtype=np.float64)


def rouge(texts: Sequence[str], references: Sequence[str]) -> Rouge:
    """Return ROUGE-1 and ROUGE-L F-measures, 0 to 1, by rouge-score with stemming, as published.

    An empty text or reference scores 0. Both are symmetric in text and reference. Texts are cut at 20,000
    characters, since the cost grows with the product of the lengths.
    """
    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    rows = [scorer.score(_cut(one), _cut(text)) for text, one in _check(texts, references)]
    return Rouge(
        np.array([row["rouge1"].fmeasure for row in rows], dtype=np.float64),
        np.array([row["rougeL"].fmeasure for row in rows], dtype=np.float64),
    )


def other_patient_rouge_l(texts: Sequence[str], references: Sequence[str], patients: Sequence[Any]) -> float:
    """Return the mean ROUGE-L of each text against references of other patients: the chance level.

    At most ten for each text, the same every time. NaN if there is one patient only.
    """
    _check(texts, references)
    if len(patients) != len(texts):
        raise ValueError(f"{len(texts)} texts and {len(patients)} patients → give one patient per text")
    pairs = other_patient_pairs(patients)
    if not pairs:
        return float("nan")
    return float(rouge([texts[i] for i, _ in pairs], [references[j] for _, j in pairs]).rouge_l.mean())


def _check(texts: Sequence[str], references: Sequence[str]) -> list[tuple[str, str]]:
    if len(texts) != len(references) or not len(texts):
        raise ValueError(f"{len(texts)} texts and {len(references)} references → give one reference per text")
    return list(zip(texts, references, strict=True))


def _cut(text: str) -> str:
    return text[:LONGEST]
