"""Answers without vision: constants, means of other subjects, fitted chains, and the upper bound of the axes rule.

All that is fitted is fitted on the other subjects' labels. The published transition baselines were fitted on the test
labels themselves, with the true number of windows, in one unseeded draw; these here are 100 seeded draws, but are still
given the true length.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semiology.metrics.arrays import Floats
from semiology.metrics.strokerehab.fugl_meyer import Scores
from semiology.metrics.strokerehab.primitives import (
    axes_of_primitive,
    counting_error,
    merged,
    primitives_of_axes,
    sequence_scores,
)
from semiology.metrics.strokerehab.window_labels import even_windows, window_label
from semiology.strokerehab import PRIMITIVES, Run, Window

WINDOW_S = 8 / 15
DRAWS = 100
AXES_STATES = ((False, False), (False, True), (True, False), (True, True))
"""States of the two independent chains together, as (motion, grasp)."""


@dataclass(frozen=True)
class LabelledVideo:
    """What a baseline may know of a video: whose it is, what is done in it, and its labels."""

    id: str
    subject: str
    activity: str
    runs: tuple[Run, ...]

    @property
    def end_s(self) -> float:
        """End of the labels."""
        return self.runs[-1].end_s

    @property
    def counts(self) -> Counter[str]:
        """Labelled runs by primitive."""
        return Counter(merged(run.primitive for run in self.runs))


def constant(videos: Sequence[LabelledVideo], primitive: str = "transport") -> dict[str, list[str]]:
    """Return the same primitive for all windows of every video."""
    return {video.id: [primitive] for video in videos}


def omniscient(videos: Sequence[LabelledVideo], window_s: float = WINDOW_S) -> dict[str, list[str]]:
    """Return the true label of each window through the axes rule: an upper bound of two yes/no questions, not blind."""
    found = {}
    for video in videos:
        windows, labels = labelled_windows(video, window_s)
        axes = [axes_of_primitive(label) for label in labels]
        starts = [window.start_s for window in windows]
        found[video.id] = primitives_of_axes(starts, [m for m, _ in axes], [g for _, g in axes])
    return found


def labelled_windows(video: LabelledVideo, window_s: float = WINDOW_S) -> tuple[list[Window], list[str]]:
    """Return the windows of a video that have a label, and their labels."""
    pairs = [(window, window_label(video.runs, window)) for window in even_windows(video.end_s, window_s)]
    known = [(window, label) for window, label in pairs if label]
    return [window for window, _ in known], [label for _, label in known]


def mean_dose(videos: Sequence[LabelledVideo]) -> dict[str, dict[str, float]]:
    """Return for each video the mean counts of the other subjects doing the same activity.

    Of all activities where nobody else does this one; {} for a video without any other subject.
    """
    return _from_others(videos, lambda video: 1.0)


def mean_rate(videos: Sequence[LabelledVideo]) -> dict[str, dict[str, float]]:
    """Return the mean counts per second of the other subjects, times the video's length."""
    return _from_others(videos, lambda video: video.end_s)


def _from_others(
    videos: Sequence[LabelledVideo], size: Callable[[LabelledVideo], float]
) -> dict[str, dict[str, float]]:
    found = {}
    for video in videos:
        others = [other for other in videos if other.subject != video.subject]
        same = [other for other in others if other.activity == video.activity] or others
        found[video.id] = {
            name: float(np.mean([other.counts[name] / size(other) for other in same])) * size(video)
            for name in PRIMITIVES
            if same
        }
    return found


def dose_errors(
    videos: Sequence[LabelledVideo], doses: Mapping[str, Mapping[str, float]], *, idle: bool = True
) -> dict[str, float]:
    """Return the relative counting error of doses given as numbers, by video."""
    return {
        video.id: counting_error(doses[video.id], video.counts, idle=idle)
        for video in videos
        if doses.get(video.id)
    }


@dataclass(frozen=True)
class ChainScores:
    """Scores of a fitted chain over seeded draws: mean over draws of the mean over videos, and its spread (sd)."""

    edit_score: float
    action_error_rate: float
    relative_counting_error: float
    edit_score_sd: float
    action_error_rate_sd: float
    relative_counting_error_sd: float


def transition_scores(
    videos: Sequence[LabelledVideo],
    *,
    two_axes: bool,
    draws: int = DRAWS,
    seed: int = 0,
    window_s: float = WINDOW_S,
) -> ChainScores | None:
    """Return the scores of Markov chains fitted on the other subjects; None with fewer than two subjects.

    Args:
        videos: with labels.
        two_axes: two independent chains of motion and grasp that start at no, and the axes rule; else one chain over
            the five primitives that starts at idle.
        draws, seed: how often sequences are drawn, from which seed.
        window_s: length of a window.
    """
    if len({video.subject for video in videos}) < 2:
        return None
    windows = {video.id: labelled_windows(video, window_s) for video in videos}
    states = {video.id: [_codes(label, two_axes) for label in windows[video.id][1]] for video in videos}
    by_subject: dict[str, list[LabelledVideo]] = defaultdict(list)
    for video in videos:
        by_subject[video.subject].append(video)
    rng = np.random.default_rng(seed)
    totals: Floats = np.zeros((draws, 3))
    for subject, own in by_subject.items():
        others = [states[video.id] for video in videos if video.subject != subject]
        chains = _fit(others, two_axes)
        for video in own:
            truth = [run.primitive for run in video.runs]
            starts = [window.start_s for window in windows[video.id][0]]
            for draw in range(draws):
                words = _drawn(chains, starts, rng, two_axes)
                scores = sequence_scores(words, truth)
                totals[draw] += (scores.edit_score, scores.action_error_rate, scores.relative_counting_error)
    means = totals / len(videos)
    spread = means.std(0, ddof=1) if draws > 1 else np.zeros(3)
    return ChainScores(*map(float, (*means.mean(0), *spread)))


def _codes(label: str, two_axes: bool) -> tuple[int, ...]:
    return tuple(map(int, axes_of_primitive(label))) if two_axes else (PRIMITIVES.index(label),)


def _fit(sequences: Sequence[Sequence[tuple[int, ...]]], two_axes: bool) -> list[Floats]:
    """Return the transition probabilities of each chain; a state that is never left stays."""
    size, chains = (2, 2) if two_axes else (len(PRIMITIVES), 1)
    found = []
    for chain in range(chains):
        counts: Floats = np.zeros((size, size))
        for sequence in sequences:
            codes = [state[chain] for state in sequence]
            np.add.at(counts, (codes[:-1], codes[1:]), 1)
        unseen = counts.sum(1) == 0
        counts[unseen] = np.eye(size)[unseen]
        found.append(counts / counts.sum(1, keepdims=True))
    return found


def _drawn(
    chains: Sequence[Floats], starts: Sequence[float], rng: np.random.Generator, two_axes: bool
) -> list[str]:
    paths = []
    for chain in chains:
        edges = chain.cumsum(1)
        chosen = rng.random(len(starts))
        state, path = 0, []
        for number in range(len(starts)):
            if number:
                state = min(int(np.searchsorted(edges[state], chosen[number], side="right")), len(chain) - 1)
            path.append(state)
        paths.append(path)
    if two_axes:
        return primitives_of_axes(
            starts, [bool(code) for code in paths[0]], [bool(code) for code in paths[1]]
        )
    return [PRIMITIVES[code] for code in paths[0]]


def other_subjects_mode(truth: Mapping[str, Mapping[int, int]]) -> dict[str, Scores]:
    """Return for each subject and item the commonest score of the other subjects; of a tie the higher."""
    return _other_subjects(
        truth, lambda scores: max(set(scores), key=lambda score: (scores.count(score), score))
    )


def other_subjects_mean(truth: Mapping[str, Mapping[int, int]]) -> dict[str, Scores]:
    """Return for each subject and item the mean score of the other subjects, rounded half up."""
    return _other_subjects(truth, lambda scores: int(np.floor(np.mean(scores) + 0.5)))


def _other_subjects(
    truth: Mapping[str, Mapping[int, int]], summary: Callable[[list[int]], int]
) -> dict[str, Scores]:
    found: dict[str, Scores] = {}
    for subject, rated in truth.items():
        row: dict[int, int | None] = {}
        for item in rated:
            others = [scores[item] for name, scores in truth.items() if name != subject and item in scores]
            row[item] = summary(others) if others else None
        found[subject] = row
    return found
