"""What a classifier looks at: the loss when a feature is shuffled, beside the published decrease in impurity.

Permutation: the feature's values are shuffled among the recordings of a fold, which the classifier never learned from,
and the balanced accuracy that is lost is the importance; its interval leaves out each patient. (Breiman, Machine
Learning 45 (2001) 5-32.) Mean decrease in impurity is S3 Table 33's measure: it is computed on the recordings learned
from, adds up to one whatever the classifier is worth, and has no interval.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Floats, ratio
from semiology.metrics.diagnosis.out_of_fold import Cohort, Diagnoses
from semiology.metrics.statistics.intervals import Estimate, effective_patients
from semiology.metrics.statistics.jackknife import jackknife_estimate

if TYPE_CHECKING:
    import pandas as pd

SHUFFLES = 10
FEW_POSITIVES = 10


@dataclass(frozen=True)
class Importance:
    """How much one feature matters.

    Attributes:
        impurity: mean decrease in impurity, the mean of the folds; None where the classifier has none.
        permutation: balanced accuracy lost when the feature is shuffled.
        positives: recordings with the feature; with few of them the importance is that of few.
    """

    feature: str
    impurity: float | None
    permutation: Estimate
    positives: int


def importances(
    vectors: pd.DataFrame, diagnoses: Diagnoses, cohort: Cohort, *, shuffles: int = SHUFFLES, seed: int = 0
) -> tuple[Importance, ...]:
    """Return the importance of each feature, the most important (by impurity, else permutation) first.

    Args:
        vectors: as given to `diagnose`. diagnoses: what it returned. cohort: as given.
        shuffles: how often each feature is shuffled in each fold. seed: of the shuffles.
    """
    rng = np.random.default_rng(seed)
    videos = [video for part in diagnoses.parts for video in part.videos]
    place = {video: at for at, video in enumerate(videos)}
    lost = {str(name): np.zeros(len(videos)) for name in vectors.columns}
    for part in diagnoses.parts:
        rows = vectors.loc[list(part.videos), list(part.fitted.features)].to_numpy()
        truth = np.array([cohort.truth[v] for v in part.videos])
        right = np.array([diagnoses.answers[v] for v in part.videos]) == truth
        at = [place[v] for v in part.videos]
        for column, feature in enumerate(part.fitted.features):
            shuffled = np.tile(rows, (shuffles, 1))
            shuffled[:, column] = np.concatenate([rng.permutation(rows[:, column]) for _ in range(shuffles)])
            still = (part.fitted.model.predict(shuffled) == np.tile(truth, shuffles)).reshape(shuffles, -1)
            lost[feature][at] = right - still.mean(0)
    found = []
    for feature, per_recording in lost.items():
        shown = vectors[feature].reindex(videos)
        found.append(
            Importance(
                feature,
                _impurity(feature, diagnoses),
                balanced_loss(dict(zip(videos, per_recording.tolist(), strict=True)), cohort),
                int((shown >= 0.5).sum()),
            )
        )
    value = {one.feature: one.permutation.value if one.impurity is None else one.impurity for one in found}
    return tuple(sorted(found, key=lambda one: (-value[one.feature], one.feature)))


def balanced_loss(lost: Mapping[str, float], cohort: Cohort) -> Estimate:
    """Return the mean over the classes of what is lost per recording, with the interval of leaving out patients.

    Args:
        lost: by recording: 1 for a right answer that is lost, -1 for one that is won, or a share of it.
    """
    classes = cohort.target.classes
    patients: list[Hashable] = sorted({cohort.patients[v] for v in lost}, key=str)
    row = {patient: at for at, patient in enumerate(patients)}
    sums: Floats = np.zeros((len(patients), len(classes), 2))
    for video, value in lost.items():
        sums[row[cohort.patients[video]], classes.index(cohort.truth[video])] += (value, 1)
    sums = sums[:, sums[:, :, 1].sum(0) > 0] if len(classes) > 2 else sums  # a class that no recording has
    total = sums.sum(0)
    rest = total - sums
    return jackknife_estimate(
        float(ratio(total[:, 0], total[:, 1]).mean()),
        np.asarray(ratio(rest[..., 0], rest[..., 1]).mean(1)),
        effective=effective_patients(sums[:, :, 1].sum(1)),
        n=len(lost),
        n_patients=len(patients),
        undefined="one class only",
    )


def _impurity(feature: str, diagnoses: Diagnoses) -> float | None:
    values = []
    for part in diagnoses.parts:
        found = part.fitted.impurity
        if found is None:
            return None
        names = part.fitted.features
        values.append(float(found[names.index(feature)]) if feature in names else 0.0)
    return float(np.mean(values)) if values else None
