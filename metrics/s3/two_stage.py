"""The two-stage diagnosis: a model answers which features it sees, a random forest tells ES from NES by them.

Source: arXiv 2605.21852, section 3.4.2: the answers of task 1 as a vector of zeros and ones, then a random
forest. The paper states neither the forest's settings nor its seed and released no fitted classifier: these
are scikit-learn's defaults, and nothing was chosen by looking at a score. Every recording is diagnosed by a
forest that was fitted on the recordings of other patients, and never on those held out for tests.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.s3.categorical import DIAGNOSES
from semiology.render.text import counted

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 5
SEED = 0
HELD_OUT = "held out"
"""The fold of recordings that no forest learns from."""
CODES: Mapping[str, float] = {"yes": 1.0, "no": 0.0}
"""What an answer is in the vector; every other one, and none, is missing, which the forest can handle."""


def feature_vectors(answers: pd.DataFrame) -> pd.DataFrame:
    """Return a row per recording, a column per feature: 1 yes, 0 no, NaN anything else.

    ``answers`` has the columns video_id, feature, answer.

    Raises:
        ValueError: a feature of a recording is answered twice.
    """
    if answers.duplicated(["video_id", "feature"]).any():
        raise ValueError("a recording has two answers on a feature → one run at a time")
    coded = answers.assign(code=answers["answer"].map(CODES).astype(float))
    return coded.pivot(index="video_id", columns="feature", values="code").sort_index()


def drawn_folds(
    diagnosis: Mapping[str, str],
    patients: Mapping[str, Hashable],
    *,
    folds: int = FOLDS,
    seed: int = SEED,
    classes: Sequence[str] = DIAGNOSES,
) -> dict[str, int]:
    """Return a fold for each recording, all recordings of a patient in one, the classes spread evenly.

    There are as many folds as asked for, or as the rarest class has patients. Class (ES or NES, unless other
    ``classes`` are given) and patient are given by recording.

    Raises:
        ValueError: a class has fewer than two patients.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    videos = sorted(diagnosis)
    counts = {name: len({patients[v] for v in videos if diagnosis[v] == name}) for name in classes}
    rarer = min(classes, key=lambda name: counts[name])
    if counts[rarer] < 2:
        there = counted(counts[rarer], "patient")
        raise ValueError(f"{there} with {rarer} → two stages need two patients of each diagnosis")
    splitter = StratifiedGroupKFold(min(folds, counts[rarer]), shuffle=True, random_state=seed)
    truths, groups = [diagnosis[v] for v in videos], [patients[v] for v in videos]
    parts = splitter.split(np.zeros((len(videos), 1)), truths, groups)
    return {videos[i]: number for number, (_, tested) in enumerate(parts) for i in tested}


def two_stage_diagnoses(
    vectors: pd.DataFrame,
    diagnosis: Mapping[str, str],
    patients: Mapping[str, Hashable],
    folds: Mapping[str, Hashable],
    *,
    seed: int = SEED,
) -> dict[str, str]:
    """Diagnose each recording by a forest that was fitted on the recordings of all other folds but `HELD_OUT`.

    ``vectors`` are of `feature_vectors`; diagnosis (recordings that are neither ES nor NES are left out), patient and
    fold are given by recording, and ``seed`` is of the forests. A recording whose fold leaves no patient of one
    diagnosis, or no yes or no at all, to learn from has no diagnosis.

    Raises:
        ValueError: a patient is in two folds.
    """
    from semiology.metrics.diagnosis.out_of_fold import Cohort, diagnose

    learners = {video for video, fold in folds.items() if fold != HELD_OUT}
    cohort = Cohort(diagnosis, patients, folds, learners)
    return dict(diagnose(vectors, cohort, "rf", seed=seed).answers)
