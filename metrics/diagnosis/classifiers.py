"""The classifiers of the second stage, all scikit-learn's.

Source: arXiv 2605.21852, section 3.4.2 and Tables 32 and 33, which name four of them and state no setting. *Published*
settings are therefore scikit-learn's defaults; *nested* ones are chosen by balanced accuracy on folds of the patients
that a classifier learns from (F1 of ES would reward answering ES to all), never on those it is scored on. Every one of
them takes two classes or more.

Features are 1, 0 or missing. The forest and boosting learn where a missing value belongs; the others get the mean of
the recordings learned from.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from semiology.metrics.arrays import Floats

Settings = Literal["nested", "published"]
Names = npt.NDArray[np.str_]
INNER_FOLDS = 3


@dataclass(frozen=True)
class Classifier:
    """One classifier.

    Attributes:
        label: its name in tables, the published one where there is one.
        grid: settings among which nested folds choose, by parameter of the last step.
        bears_gaps: whether it takes missing values as they are.
    """

    label: str
    grid: Mapping[str, Sequence[Any]]
    bears_gaps: bool = False


_BALANCE: Mapping[str, Sequence[Any]] = {"class_weight": [None, "balanced"]}
CLASSIFIERS: Mapping[str, Classifier] = {
    "rf": Classifier("Random Forest", {"min_samples_leaf": [1, 4], **_BALANCE}, bears_gaps=True),
    "svm": Classifier("SVM", {"C": [0.1, 0.3, 1.0, 3.0, 10.0], **_BALANCE}),
    "knn": Classifier("KNN", {"n_neighbors": [3, 5, 9, 15, 25]}),
    "lr": Classifier("Logistic Regression", {"C": [0.03, 0.1, 0.3, 1.0, 3.0], **_BALANCE}),
    "gb": Classifier("Gradient Boosting", {"min_samples_leaf": [5, 20], **_BALANCE}, bears_gaps=True),
}
"""By the name that a command takes; all but boosting are those of S3 Table 32."""


@dataclass(frozen=True)
class Fitted:
    """A classifier that has learned.

    Attributes:
        model: predicts a class from rows of features.
        features: which columns it looks at: those with any answer among the recordings learned from.
        sure: gives the probability of each class; None where patients were too few to calibrate one.
        chosen: settings that nested folds chose; empty for the defaults.
    """

    model: Any
    features: tuple[str, ...]
    sure: Any
    chosen: Mapping[str, Any]

    @property
    def impurity(self) -> Floats | None:
        """Mean decrease in impurity of each of `features`, summing to one (S3 Table 33); None but for the forest."""
        found = getattr(self.model[-1], "feature_importances_", None)
        return None if found is None else np.asarray(found, dtype=np.float64)

    def probability(self, rows: Floats, classes: Sequence[str]) -> Floats:
        """Return the probability of each class, shape (n, k); NaN where there is none, 0 for a class not learned."""
        found = np.full((len(rows), len(classes)), np.nan)
        if self.sure is not None:
            known = [str(name) for name in self.sure.classes_]
            given = np.asarray(self.sure.predict_proba(rows), dtype=np.float64)
            for column, name in enumerate(classes):
                found[:, column] = given[:, known.index(name)] if name in known else 0.0
        return found


def fit(
    name: str,
    rows: Floats,
    truths: Names,
    patients: Sequence[str],
    features: Sequence[str],
    *,
    settings: Settings,
    seed: int,
) -> Fitted:
    """Let a classifier learn.

    Args:
        name: of `CLASSIFIERS`.
        rows: features of recordings, shape (n, k), NaN where missing; every column has a value.
        truths: class of each; there are two or more.
        patients: patient of each. features: name of each column.
        settings: ``published`` or ``nested``; with fewer than two patients of each of two classes nested ones are the
            defaults.
        seed: of the classifier and of the nested folds.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import GridSearchCV

    about = CLASSIFIERS[name]
    model = _pipeline(name, seed)
    inner = _inner_folds(rows, truths, np.array(patients), seed)
    chosen: dict[str, Any] = {}
    if settings == "nested" and inner:
        step = model.steps[-1][0]
        grid = {f"{step}__{key}": values for key, values in about.grid.items()}
        grid = {
            key: [v for v in values if _fits(key, v, inner)] or values[:1] for key, values in grid.items()
        }
        with warnings.catch_warnings():
            # A rare class may be missing from a nested part: it then counts in none of its means.
            warnings.filterwarnings("ignore", "y_pred contains classes not in y_true")
            search = GridSearchCV(model, grid, cv=inner, scoring="balanced_accuracy").fit(rows, truths)
        model = search.best_estimator_
        chosen = {key.partition("__")[2]: value for key, value in search.best_params_.items()}
    else:
        if name == "knn":  # no more neighbours than there are
            model[-1].set_params(n_neighbors=min(5, len(rows)))
        model.fit(rows, truths)
    sure: Any = model
    if not hasattr(model, "predict_proba"):
        # The SVM: its distances are calibrated on the nested folds (Platt), which must all hold every class.
        whole = inner and all(len(set(truths[part])) == len(set(truths)) for part, _ in inner)
        sure = CalibratedClassifierCV(model, cv=inner, ensemble=False).fit(rows, truths) if whole else None
    return Fitted(model, tuple(features), sure, chosen)


def _inner_folds(rows: Floats, truths: Names, groups: Names, seed: int) -> list[tuple[Any, Any]]:
    """Return the nested folds of patients; none where patients are too few for two classes in every part."""
    from sklearn.model_selection import StratifiedGroupKFold

    having = [len(set(groups[truths == each])) for each in np.unique(truths)]
    shared = [count for count in having if count > 1]
    if len(shared) < 2:
        return []
    splitter = StratifiedGroupKFold(min(INNER_FOLDS, *shared), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class in y")
        inner = list(splitter.split(rows, truths, groups))
    return inner if all(len(set(truths[part])) > 1 for pair in inner for part in pair) else []


def _fits(parameter: str, value: Any, inner: Sequence[tuple[Any, Any]]) -> bool:
    """Return whether a setting can be used with as few recordings as the smallest nested part has."""
    return not parameter.endswith("n_neighbors") or value <= min(len(learned) for learned, _ in inner)


def _pipeline(name: str, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    made: dict[str, Any] = {
        "rf": RandomForestClassifier(random_state=seed),
        "svm": SVC(),
        "knn": KNeighborsClassifier(),
        "lr": LogisticRegression(max_iter=1000),
        "gb": HistGradientBoostingClassifier(random_state=seed),
    }
    gaps = [] if CLASSIFIERS[name].bears_gaps else [SimpleImputer(strategy="mean")]
    return make_pipeline(*gaps, made[name])
