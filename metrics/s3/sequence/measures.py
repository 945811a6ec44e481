"""In which order do the features appear (S3 task 5).

Edit distance and subsequence measures compare two lists of features; the temporal-relation scores compare
pairs ("tonic before clonic") and know ties. The published "temporal F1" is about neither: it is a share of
agreeing positions in an edit script, here `position_share`, and it rewards endless answers, because every
feature answered after the last true one counts as agreeing. The published LCS ratio is divided by the length
of the answer alone, so one right word scores 1; `lcs_f1` is the symmetric form.

Distances come from rapidfuzz: lists of 10,000 words take milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from rapidfuzz.distance import LCSseq, Levenshtein

_QUOTES = "\"'"


def published_tokens(text: str) -> list[str]:
    """Split an answer as published: at commas; blanks, quotes and trailing ``.`` ``;`` cut; inner blanks
    ``_``.

    Empty pieces are dropped. Unknown words stay: they count as wrong features. Never raises.

    Source: metric files of the repository of arXiv 2605.21852.
    """
    pieces = (piece.strip().strip(_QUOTES).strip().rstrip(".;").strip() for piece in text.split(","))
    return [re.sub(r"\s+", "_", piece) for piece in pieces if piece]


def edit_distance(answer: Sequence[Hashable], truth: Sequence[Hashable]) -> int:
    """Return the Levenshtein distance over features: 0 if equal, at most the longer length; symmetric.

    Not bounded by the truth, so a looping answer dominates a mean; an empty answer scores ``len(truth)``.

    Source: arXiv 2605.21852, section 3.2.5.
    """
    return int(Levenshtein.distance(answer, truth))


def normalised_edit_distance(answer: Sequence[Hashable], truth: Sequence[Hashable]) -> float:
    """Return the edit distance divided by the longer length, 0 to 1; 0 if both are empty; symmetric."""
    return float(Levenshtein.normalized_distance(answer, truth))


def lcs_ratio(answer: Sequence[Hashable], truth: Sequence[Hashable]) -> float:
    """Return the length of the longest common subsequence divided by that of the answer, 0 to 1, as
    published.

    0 for an empty answer. Unsound: it is a precision, and one right feature scores 1.

    Source: arXiv 2605.21852, section 3.2.5, Tables 1, 17 and 23.
    """
    return LCSseq.similarity(answer, truth) / len(answer) if len(answer) else 0.0


def lcs_f1(answer: Sequence[Hashable], truth: Sequence[Hashable]) -> float:
    """Return 2 LCS / (len(answer) + len(truth)), 0 to 1; 1 if both are empty; symmetric."""
    total = len(answer) + len(truth)
    return 2 * LCSseq.similarity(answer, truth) / total if total else 1.0


def position_share(answer: Sequence[Hashable], truth: Sequence[Hashable]) -> float:
    """Return the published "temporal F1": the share of agreeing positions in the edit script, 0 to 1.

    Of the Levenshtein script from answer to truth that rapidfuzz chooses, equal features agree and replaced
    ones do not. A feature of the answer deleted before the end of the truth does not agree, one deleted after
    the last true feature does. A missing true feature does not agree unless it equals the feature of the answer at
    that position. 1 if both are empty; an empty answer to a truth scores 0, any answer to an empty truth 1.

    Unsound: a right answer followed by 10,000 wrong features scores nearly 1. Use
    `temporal_relation_scores`.

    Source: metric files of the repository of arXiv 2605.21852, printed as temporal F1 in Tables 1, 17, 23.
    """
    if not len(answer) and not len(truth):
        return 1.0
    agree = positions = 0
    for step in Levenshtein.opcodes(answer, truth):
        length = max(step.src_end - step.src_start, step.dest_end - step.dest_start)
        positions += length
        if step.tag == "equal" or (step.tag == "delete" and step.dest_start >= len(truth)):
            agree += length
        elif step.tag == "insert" and step.src_start < len(answer):
            missing = truth[step.dest_start : step.dest_end]
            agree += sum(answer[step.src_start] == feature for feature in missing)
    return agree / positions


class RelationScores(NamedTuple):
    """Scores over pairs of features, each 0 to 1 or NaN.

    Attributes:
        precision: right pairs of the answer / pairs of the answer; NaN if the answer has no pair.
        recall: right pairs / pairs of the truth; NaN if the truth has none.
        f1: 2 right / (pairs of both); NaN if neither has a pair.
        order_accuracy: of the pairs that both hold and whose true order is no tie, the share in the right
            order; 0.5 by chance, whatever features were seen; NaN without such pairs.
        random_order_f1: f1 expected if the features of the answer stood in random order.
    """

    precision: float
    recall: float
    f1: float
    order_accuracy: float
    random_order_f1: float


def first_mentions(sequence: Sequence[str]) -> dict[str, float]:
    """Return the position of the first mention of each feature: a sequence as times, without ties."""
    times: dict[str, float] = {}
    for position, feature in enumerate(sequence):
        times.setdefault(feature, float(position))
    return times


def temporal_relation_scores(truth: Mapping[str, float], answer: Mapping[str, float]) -> RelationScores:
    """Return precision, recall and F1 over pairs of features and the order in which they begin.

    Each pair of features in the answer claims one relation (before, after or together), each pair in the truth
    holds one. A pair is right if both of its features are in the truth and the relation agrees. Where the
    truth is a tie any relation is right, since a list cannot say "together"; where the truth is an order,
    "together" is wrong. A pair with a feature that is not in the truth is wrong.

    Args:
        truth: onset of each true feature, in seconds or ranks.
        answer: the same for the answer; for a list of features, `first_mentions`.

    Without ties, swapping truth and answer swaps precision and recall.

    Source: the definition in words of arXiv 2605.21852, section 3.2.5 (ii); the treatment of ties is ours.

    >>> truth = {"tonic": 2.0, "clonic": 9.0, "head_turning": 2.0}
    >>> scores = temporal_relation_scores(truth, first_mentions(["tonic", "head_turning", "clonic", "blank_stare"]))
    >>> scores.precision, scores.recall, scores.order_accuracy
    (0.5, 1.0, 1.0)
    """
    shared = sorted(set(truth) & set(answer))
    ties = ordered = strict = 0
    for i, first in enumerate(shared):
        for second in shared[i + 1 :]:
            gap, claimed = truth[second] - truth[first], answer[second] - answer[first]
            if gap == 0:
                ties += 1
            else:
                strict += 1
                ordered += claimed != 0 and (claimed > 0) == (gap > 0)
    right, true, answered = ties + ordered, _pairs(len(truth)), _pairs(len(answer))
    return RelationScores(
        _share(right, answered),
        _share(right, true),
        _share(2 * right, true + answered),
        _share(ordered, strict),
        _share(2 * ties + strict, true + answered),
    )


def sign_f1(answer: Sequence[str], truth: Sequence[str]) -> float:
    """Return the F1 of the sets of features, whatever their order, 0 to 1; 1 if both are empty; symmetric.

    It tells apart a model that saw the wrong features from one that saw them in the wrong order.
    """
    named, true = set(answer), set(truth)
    total = len(named) + len(true)
    return 2 * len(named & true) / total if total else 1.0


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _pairs(n: int) -> int:
    return n * (n - 1) // 2
