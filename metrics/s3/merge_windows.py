"""From the answers on the windows of a recording to the recording's answer, by the published rules.

Justifications: where windows disagree, those that say "yes"; otherwise all; sleep at onset, the first window.
Reports: all. Their texts are merged by taking each statement once (extractive, the default) or by what the
caller hands over, such as a language model. Sequences: each is joined to what came before, without the
longest piece that ends the one and begins the other. Source: arXiv 2605.21852, Section 3.3.2, and the
programs of its public repository. Windows without a usable answer add nothing, and are counted by who calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from semiology.metrics.scores.aggregation import FIRST_SEGMENT_ONLY, any_yes

TextMerger = Callable[[Sequence[str], str | None, str], str]
"""Merges texts on one recording: the texts, the feature that they are about (None: reports) and the answer
that they give reasons for (for reports the empty string) give one text."""

_SENTENCE = re.compile(r"(?<=[.!?;])\s+")


def merge_justifications(
    feature: str, windows: Sequence[tuple[str, str | None]], merge: TextMerger | None = None
) -> tuple[str, str | None]:
    """Return the recording's answer on a feature and its justification (None where no window gave one).

    Args:
        feature, windows: (answer, justification) by window, in time order; answers ``yes``, ``no``, ``na``,
            ``unparsed``.
        merge: Merges the texts; by default they are merged extractively.

    Raises:
        ValueError: There is no window, or an answer is none of the four.
    """
    used = windows[:1] if feature in FIRST_SEGMENT_ONLY else windows
    answer = any_yes([said for said, _ in used])
    given = [text for said, text in used if text and said == answer]
    return answer, _one_text(given, merge, feature, answer)


def merge_reports(windows: Sequence[str | None], merge: TextMerger | None = None) -> str | None:
    """Return one report for the reports on the windows, in time order; None where no window has one."""
    return _one_text([text for text in windows if text], merge, None, "")


def _one_text(given: Sequence[str], merge: TextMerger | None, feature: str | None, answer: str) -> str | None:
    if merge is None or len(set(given)) < 2:
        return extract(given) if given else None
    return merge(given, feature, answer).strip()


def merge_sequences(windows: Sequence[Sequence[str]]) -> list[str]:
    """Return one sequence for the sequences on overlapping windows, in time order.

    Of all pieces that end what is merged so far and begin the next window's sequence, the longest is
    written once: (a, b, c) and (b, c, d) give (a, b, c, d). Time: linear in the number of items.
    """
    merged: list[str] = []
    for sequence in windows:
        merged += sequence[_overlap(merged, sequence) :]
    return merged


def extract(texts: Sequence[str]) -> str:
    """Return every statement of some texts once, in order.

    A statement is a sentence. It is left out if its words, in order and without regard to case and
    punctuation, are those of one before, or a part of one before.
    """
    kept: list[str] = []
    seen: list[str] = []
    for sentence in (part.strip() for text in texts for part in _SENTENCE.split(text.strip())):
        words = " ".join(re.findall(r"\w+", sentence.casefold()))
        if words and not any(f" {words} " in f" {other} " for other in seen):
            kept.append(sentence if sentence[-1] in ".!?;" else f"{sentence}.")
            seen.append(words)
    return " ".join(kept)


def _overlap(before: Sequence[str], after: Sequence[str]) -> int:
    """Return the length of the longest end of ``before`` that is a beginning of ``after``.

    By the prefix function of Knuth, Morris and Pratt, so that looping answers of thousands of items are no
    burden.
    """
    end = [*before[-len(after) :]] if after else []
    joined: list[str | None] = [*after, None, *end]
    border = [0] * len(joined)
    for index in range(1, len(joined)):
        length = border[index - 1]
        while length and joined[index] != joined[length]:
            length = border[length - 1]
        border[index] = length + (joined[index] == joined[length])
    return border[-1] if end else 0
