"""Small wordings × recordings arrays for the tests of robustness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.scores.counts import ANSWERS, TRUTHS

LETTERS = {"y": "yes", "n": "no", "a": "na", "u": "unparsed"}


def answers_of(
    rows: Sequence[str],
    truth: str,
    patients: str | None = None,
    *,
    families: Sequence[str] | None = None,
    polarities: Sequence[str] | None = None,
    reference: int | None = 0,
    three_classes: bool = False,
    p_yes: np.ndarray | None = None,
) -> WordingAnswers:
    """Build answers from letters (y yes, n no, a na, u unparsed), one string for each wording."""
    patients = patients or "".join(chr(ord("A") + i) for i in range(len(truth)))
    names, patient = np.unique(list(patients), return_inverse=True)
    codes = [[ANSWERS.index(LETTERS[letter]) for letter in row] for row in rows]
    return WordingAnswers(
        feature="tonic",
        wordings=tuple(f"w{i}" for i in range(len(rows))),
        families=tuple(families or ["x"] * len(rows)),
        polarities=tuple(polarities or ["positive"] * len(rows)),
        reference=reference,
        recordings=tuple(f"v{i}" for i in range(len(truth))),
        patients=tuple(str(name) for name in names),
        patient=patient.astype(np.int64),
        truth=np.array([TRUTHS.index(LETTERS[letter]) for letter in truth], dtype=np.int64),
        answers=np.array(codes, dtype=np.int64).reshape(len(rows), len(truth)),
        three_classes=three_classes,
        p_yes=p_yes,
    )


@st.composite
def any_answers(draw: st.DrawFn, letters: str = "ynau", min_wordings: int = 1) -> WordingAnswers:
    """Any answers of up to 12 wordings on up to 12 recordings of up to 5 patients."""
    k, n = draw(st.integers(min_wordings, 12)), draw(st.integers(1, 12))
    rows = draw(st.lists(st.text(letters, min_size=n, max_size=n), min_size=k, max_size=k))
    truth = draw(st.text("yn", min_size=n, max_size=n))
    patients = draw(st.text("ABCDE", min_size=n, max_size=n))
    polarities = draw(st.lists(st.sampled_from(["positive", "negative"]), min_size=k, max_size=k))
    return answers_of(rows, truth, patients, polarities=polarities)
