"""Figures that were fixed beforehand: what a caller gets who names no level, seed or number of draws."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

from semiology import metrics

DEFAULTS: dict[str, float | dict[str, float]] = {
    "alpha": 0.05,
    "at_least": 0.5,
    "batch_size": 16,
    "classes": 2,
    "clip_s": 60.0,
    "correlation": 0.28,
    "discordance": 0.23,
    "draws": {"transition_scores": 100, "compare_distributions": 2000},
    "error": 0.1,
    "flips": 10_000,
    "folds": 5,
    "hit": 1.0,
    "left_out": 0,
    "level": 0.95,
    "limit": 0.25,
    "margin": 0.05,
    "most": {"other_patient_pairs": 10, "patients_needed": 5000},
    "permutations": 2000,
    "power": 0.8,
    "reach": 40,
    "redraws": 40,
    "resamples": 2000,
    "seed": 0,
    "shuffles": 10,
    "specificity": 0.9,
    "studies": {"power_range": 100, "power_at": 400, "patients_needed": 400},
    "times": 1.0,
    "touched": 0,
    "touched_again": 0,
    "undefined_share": 0.0,
    "window_s": 8 / 15,
    "within_s": 2.0,
    "words": 0,
}
"""By the name of the parameter; by function where they differ on purpose."""

FIXED: dict[str, float | tuple[float, ...]] = {
    "agreement.ratings.PASS": 3,
    "diagnosis.classifiers.INNER_FOLDS": 3,
    "diagnosis.importances.FEW_POSITIVES": 10,
    "paired.comparison.ALPHA": 0.05,
    "paired.comparison.MARGIN": 0.05,
    "paired.power.FEWEST_PATIENTS": 6,
    "paired.power.MOST_PATIENTS": 5000,
    "paired.simulation.CORRELATION": 0.28,
    "paired.simulation.DISCORDANCE": 0.23,
    "robustness.sums.SPREAD_AT": 5,
    "robustness.sums.WORST_AT": (1, 5, 10),
    "s3.onset_time.CLIP_S": 60.0,
    "s3.onset_time.TOLERANCES_S": (1.0, 2.0, 5.0),
    "s3.text.interpretation_score.CORE_WEIGHT": 0.7,
    "s3.text.interpretation_score.DETAIL_WEIGHT": 0.3,
    "s3.text.seizure_rqi.FREE_WORDS": 100,
    "s3.text.seizure_rqi.HAZARD_CAP": 50.0,
    "s3.text.seizure_rqi.STEP_WORDS": 50,
    "s3.two_stage.FOLDS": 5,
    "scores.discrimination.AP_GROUPS": 200,
    "scores.discrimination.BINS": 10,
    "scores.discrimination.CURVE_STEPS": 50,
    "scores.operating_points.ERROR": 0.1,
    "scores.operating_points.GROUPS": 5,
    "scores.operating_points.SPECIFICITY": 0.9,
    "statistics.equivalence.DEFAULT_MARGIN": 0.05,
    "statistics.intervals.ASSUMED_CORRELATION": 0.45,
    "statistics.intervals.FEWEST_EFFECTIVE": 2.0,
    "statistics.intervals.MIN_EFFECTIVE_PATIENTS": 5,
    "statistics.intervals.MIN_POSITIVE_PATIENTS": 10,
    "statistics.intervals.RESAMPLES": 2000,
    "statistics.sign_flip.FLIPS": 10_000,
    "statistics.sign_flip.TAIL_FACTOR": 2.0,
    "strokerehab.baselines.DRAWS": 100,
    "strokerehab.baselines.WINDOW_S": 8 / 15,
    "strokerehab.fugl_meyer.BEST": 2,
    "strokerehab.primitives.GRASP_WITHIN_S": 2.0,
    "strokerehab.primitives.WITHIN": 0.25,
    "strokerehab.state_machine.RELEASE_WINDOWS": 3,
    "strokerehab.state_machine.STABILIZE_WINDOWS": 2,
}
"""Levels, margins, floors and weights that the documentation states; to change one changes what is claimed."""


def functions() -> Iterator[tuple[str, object]]:
    for found in pkgutil.walk_packages(metrics.__path__, "semiology.metrics."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) != found.name:
                continue
            if inspect.isfunction(value) or inspect.isclass(value):
                yield name, value
            if inspect.isclass(value):
                yield from ((name, each) for each in vars(value).values() if inspect.isfunction(each))


def test_an_option_has_the_same_default_everywhere() -> None:
    seen = set()
    for name, function in functions():
        try:
            parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
        except ValueError:  # a type without a signature
            continue
        for each in parameters:
            # NaN says that there is none.
            if type(each.default) not in (int, float) or each.default != each.default:
                continue
            assert each.name in DEFAULTS, f"{name}({each.name}={each.default}): add it to DEFAULTS"
            wanted = DEFAULTS[each.name]
            wanted = wanted[name] if isinstance(wanted, dict) else wanted
            assert each.default == wanted, f"{name}({each.name}={each.default})"
            seen.add(each.name)
    assert seen == set(DEFAULTS)


def test_what_the_documentation_states_is_what_is_computed_with() -> None:
    for place, value in FIXED.items():
        module, name = place.rsplit(".", 1)
        assert getattr(importlib.import_module(f"semiology.metrics.{module}"), name) == value, place
