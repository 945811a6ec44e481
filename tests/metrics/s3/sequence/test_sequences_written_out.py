"""Task 5 as a whole: every score and baseline of random sequences, by plain loops over features, pairs and places."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pytest
from rapidfuzz.distance import Levenshtein

from semiology.metrics.s3.sequence.measures import position_share
from semiology.metrics.s3.sequence.scores import score_sequences, typical_sequence

SIGNS = ("tonic", "clonic", "blank_stare", "head_turning", "figure4", "odd_word")


def mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def common(answer: list[str], truth: list[str]) -> int:
    """Return the length of the longest common subsequence, by trying all of the shorter one."""
    less, more = sorted((answer, truth), key=len)
    for size in range(len(less), 0, -1):
        for picked in itertools.combinations(less, size):
            rest = iter(more)
            if all(each in rest for each in picked):
                return size
    return 0


def begins(sequence: list[str]) -> dict[str, float]:
    return {sign: float(sequence.index(sign)) for sign in set(sequence)}


def slow(answer: list[str], truth: list[str], onsets: Mapping[str, float] | None) -> dict[str, float]:
    times, told = begins(truth) if onsets is None else onsets, begins(answer)
    right = ordered = strict = ties = 0
    for a, b in itertools.combinations(sorted(set(times) & set(told)), 2):
        gap, claimed = np.sign(times[b] - times[a]), np.sign(told[b] - told[a])
        ties += gap == 0
        strict += gap != 0
        ordered += gap != 0 and gap == claimed
        right += gap in (0, claimed)
    true, answered = math.comb(len(times), 2), math.comb(len(told), 2)
    length, distance = max(len(answer), len(truth)), Levenshtein.distance(answer, truth)
    both = set(answer) & set(truth)
    sets = len(set(answer)) + len(set(truth))
    return {
        "edit_distance": float(distance),
        "normalised_edit_distance": distance / length if length else 0.0,
        "lcs_ratio": common(answer, truth) / len(answer) if answer else 0.0,
        "lcs_f1": 2 * common(answer, truth) / (len(answer) + len(truth)) if answer or truth else 1.0,
        "position_share": position_share(answer, truth),
        "sign_f1": 2 * len(both) / sets if sets else 1.0,
        "relation_precision": share(right, answered),
        "relation_recall": share(right, true),
        "relation_f1": share(2 * right, true + answered),
        "order_accuracy": share(ordered, strict),
        "random": share(2 * ties + strict, true + answered),
    }


def typical(truths: list[list[str]], at_least: float) -> list[str]:
    shown = {sign: sum(sign in truth for truth in truths) for sign in sorted({s for t in truths for s in t})}
    if not shown:
        return []
    kept = [sign for sign, n in shown.items() if n / len(truths) >= at_least]
    kept = kept or [next(sign for sign, n in shown.items() if n == max(shown.values()))]

    def place(sign: str) -> float:
        return mean(truth.index(sign) / max(len(truth) - 1, 1) for truth in truths if sign in truth)

    return sorted(kept, key=lambda sign: (round(place(sign), 12), sign))


@pytest.mark.parametrize("seed", range(12))
def test_every_score_and_baseline_is_that_of_loops_over_signs_and_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(int(rng.integers(1, 13))):
        truth = rng.permutation(SIGNS[:5])[: rng.integers(0, 5)].tolist()
        answer: object = rng.choice(SIGNS, rng.integers(0, 6)).tolist()
        answer = "unparsed" if rng.random() < 0.15 else None if rng.random() < 0.15 else answer
        onsets = {sign: float(rng.integers(0, 3)) for sign in truth} if rng.random() < 0.6 else None
        rows.append((f"v{i}", f"p{i // 2}", truth, answer, onsets))
    columns = ["video_id", "patient_id", "truth", "answer", "onsets"]
    frame = pd.DataFrame(
        {name: pd.Series([row[k] for row in rows], dtype=object) for k, name in enumerate(columns)}
    )
    if seed % 3 == 0:
        frame = frame.drop(columns="onsets")
    found = score_sequences(frame, resamples=10)
    there = [
        (truth, [] if answer == "unparsed" else list(answer), onsets if seed % 3 else None)  # type: ignore[call-overload]
        for _, _, truth, answer, onsets in rows
        if answer is not None
    ]
    scored = [slow(answer, truth, onsets) for truth, answer, onsets in there]
    names = [name for name in slow([], [], None) if name != "random"]
    assert set(found.estimates) == set(names)
    for name in names:
        assert found.estimates[name].value == pytest.approx(mean(row[name] for row in scored), nan_ok=True)
    truths = [truth for truth, _, _ in there]
    constants = {"empty": [], "typical": typical(truths, 0.5), "every_sign": typical(truths, 0.0)}
    expected = {"random_order_relation_f1": mean(row["random"] for row in scored)}
    for label, constant in constants.items():
        of_constant = [slow(constant, truth, onsets) for truth, _, onsets in there]
        expected |= {f"{label}_{name}": mean(row[name] for row in of_constant) for name in names}
    assert found.baselines == pytest.approx(expected, nan_ok=True)
    unread = sum(row[3] == "unparsed" for row in rows)
    counts = found.counts
    assert (counts.asked, counts.answered, counts.unparsed) == (len(rows), len(there) - unread, unread)


def test_a_sign_of_one_recording_in_many_is_among_every_sign_and_half_of_them_make_it_typical() -> None:
    truths = [["tonic", "clonic"]] * 65 + [["tonic"]] * 65
    truths[70] = ["tonic", "figure4"]
    assert typical_sequence(truths) == ["tonic", "clonic"]
    assert typical_sequence([*truths, ["tonic"]]) == ["tonic"]
    rows = [(f"v{i}", f"p{i}", truth, ["tonic"]) for i, truth in enumerate(truths)]
    frame = pd.DataFrame(rows, columns=["video_id", "patient_id", "truth", "answer"])
    found = score_sequences(frame, resamples=10).baselines["every_sign_sign_f1"]
    assert found == pytest.approx((65 * 4 / 5 + 64 * 2 / 4 + 4 / 5) / 130)
