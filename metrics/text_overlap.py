"""Overlap of a text with a reference: BLEU, ROUGE and BERTScore, each through its own library.

None of them knows what is clinically right (arXiv 2605.21852, Table 10: correlation with expert ratings
0.07 to 0.10). They are given for comparison with published tables, and `other_patient_rouge_l` tells what a
text about another patient scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from semiology.metrics.confusion import Floats
from semiology.metrics.other_recordings import other_patient_pairs

LONGEST = 20_000


class Rouge(NamedTuple):
    """F-measures of ROUGE-1 and ROUGE-L of each text, shape (n,)."""

    rouge1: Floats
    rouge_l: Floats


class BertScores(NamedTuple):
    """BERTScore precision, recall and F1 of each text, shape (n,)."""

    precision: Floats
    recall: Floats
    f1: Floats


def corpus_bleu(texts: Sequence[str], references: Sequence[str]) -> float:
    """Return the BLEU of a collection, 0 to 100, by sacrebleu with its defaults (13a, exponential smoothing).

    One reference per text; 0 for empty texts. The published table of task 6 is this figure.

    Raises:
        ValueError: there is no text, or the lengths differ.
    """
    _check(texts, references)
    return float(sacrebleu.corpus_bleu([*map(_cut, texts)], [[*map(_cut, references)]]).score)


def bleu(texts: Sequence[str], references: Sequence[str]) -> Floats:
    """Return the BLEU of each text as a collection of one, 0 to 100, shape (n,).

    So computed beside the expert ratings of arXiv 2605.21852, Table 11. An empty text scores 0.

    Raises:
        ValueError: there is no text, or the lengths differ.
    """
    return np.array([corpus_bleu([text], [one]) for text, one in _check(texts, references)], dtype=np.float64)


def rouge(texts: Sequence[str], references: Sequence[str]) -> Rouge:
    """Return ROUGE-1 and ROUGE-L F-measures, 0 to 1, by rouge-score with stemming, as published.

    An empty text or reference scores 0. Both are symmetric in text and reference. Texts are cut at 20,000
    characters, since the cost grows with the product of the lengths.

    Raises:
        ValueError: there is no text, or the lengths differ.
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

    Raises:
        ValueError: there is no text, or the lengths differ.
    """
    _check(texts, references)
    if len(patients) != len(texts):
        raise ValueError(f"{len(texts)} texts and {len(patients)} patients → give one patient per text")
    pairs = other_patient_pairs(patients)
    if not pairs:
        return float("nan")
    return float(rouge([texts[i] for i, _ in pairs], [references[j] for _, j in pairs]).rouge_l.mean())


def bert_scores(
    texts: Sequence[str], references: Sequence[str], *, model: Path, layer: int, batch_size: int = 16
) -> BertScores:
    """Return BERTScore by bert-score, without rescaling, with an encoder that lies on this machine.

    Nothing is downloaded: ``model`` must be a folder with the encoder and its tokenizer. An empty text
    scores 0. The figure depends on encoder and layer, so both belong beside it.

    Args:
        texts, references: one reference per text.
        model: folder of a transformers encoder.
        layer: number of the hidden layer compared (bert-score's recommendation for roberta-large is 17).
        batch_size: texts encoded at once.

    Raises:
        ValueError: there is no text, or the lengths differ.
        FileNotFoundError: the folder holds no model.
    """
    pairs = _check(texts, references)
    if not (model / "config.json").is_file():
        raise FileNotFoundError(
            f"{model} holds no encoder (no config.json) → give the folder of a downloaded model; "
            "nothing is fetched from the internet"
        )
    from bert_score import BERTScorer

    scorer = BERTScorer(model_type=str(model), num_layers=layer, batch_size=batch_size, device="cpu")
    values = np.zeros((3, len(pairs)))
    kept = [i for i, (text, one) in enumerate(pairs) if text.strip() and one.strip()]
    if kept:
        found = scorer.score([_cut(texts[i]) for i in kept], [_cut(references[i]) for i in kept])
        values[:, kept] = np.stack([np.asarray(part, dtype=np.float64) for part in found])
    return BertScores(*values)


def _check(texts: Sequence[str], references: Sequence[str]) -> list[tuple[str, str]]:
    if len(texts) != len(references) or not len(texts):
        raise ValueError(f"{len(texts)} texts and {len(references)} references → give one reference per text")
    return list(zip(texts, references, strict=True))


def _cut(text: str) -> str:
    return text[:LONGEST]
