"""The power that is promised from a pilot against the power that redrawing real patients finds.

Pairs of published models whose F1 differs by 0.06 to 0.16 on a feature. *Rates*: promised from sensitivity,
specificity, correlation and discordance of the pair. *Joint*: from the joint answers of a pilot of 58 of the
patients, which is changed to the pair's true difference. *Range*: what pilots redrawn by patient promise (middle 90 %),
as `semiology power` prints it. *Found*: all patients redrawn with their real answers.

    semiology baselines import s3 ../shared/s3_published --out s3_answers.csv
    python -m benchmarks.error_rates.power_calibration s3_answers.csv --pairs 12
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np

from benchmarks.error_rates.redrawn_patients import grids, published_rows
from benchmarks.measuring import CONSOLE, parser
from semiology.metrics.paired.pilot import PilotAnswers, pilot_answers
from semiology.metrics.paired.power import power_at, power_range
from semiology.metrics.paired.simulation import Patients, answer_model, correctness_correlation

PILOT = 58


def main() -> None:
    """Print one row per pair, feature and size, and the mean errors."""
    described = parser(__doc__)
    described.add_argument("answers", type=Path)
    described.add_argument("--pairs", type=int, default=12)
    described.add_argument("--studies", type=int, default=150)
    described.add_argument("--redraws", type=int, default=40)
    described.add_argument("--seed", type=int, default=2)
    options = described.parse_args()
    known, rng = grids(published_rows(options.answers)), np.random.default_rng(options.seed)
    cases = []
    for a, b in permutations(known, 2):
        place = {video: i for i, video in enumerate(known[b][0])}
        shared = np.array([i for i, video in enumerate(known[a][0]) if video in place])
        other = [place[known[a][0][i]] for i in shared]
        patient = np.unique(known[a][1][shared], return_inverse=True)[1]
        for f, feature in enumerate(known[a][4]):
            truth, first, second = known[a][2][shared, f], known[a][3][shared, f], known[b][3][other, f]
            gap = _f1(truth, second) - _f1(truth, first)
            if 0.06 <= gap <= 0.16 and len(set(patient[truth].tolist())) >= 25:
                cases.append((f"{a} {b} {feature}", patient, truth, first, second, gap))
    rows = []
    for at in rng.permutation(len(cases))[: options.pairs]:
        name, patient, truth, first, second, gap = cases[at]
        positive, negative = (
            np.bincount(patient[truth == c], minlength=patient.max() + 1) for c in (True, False)
        )
        right = first == truth
        model = answer_model(
            tuple(float((right[truth == c].sum() + 0.5) / ((truth == c).sum() + 1)) for c in (True, False)),  # type: ignore[arg-type]
            gap,
            float(truth.mean()),
            correlation=correctness_correlation(
                np.bincount(patient, weights=right), np.bincount(patient).astype(np.float64)
            ),
            discordance=float(np.mean(first != second)),
        )
        chosen = rng.permutation(patient.max() + 1)[:PILOT]
        own = np.isin(patient, chosen)
        few = np.unique(patient[own], return_inverse=True)[1]
        pilot = pilot_answers(few, truth[own], first[own], second[own], delta=gap)
        real = PilotAnswers(patient, truth, first, second, first, 0.0, gap, gap)
        for size in (60, 116):
            made = [
                power_at(Patients(positive, negative), size, each, studies=options.studies).power
                for each in (model, pilot, real)
            ]

            def redrawn(rng: np.random.Generator) -> tuple[Patients, PilotAnswers]:
                groups = [np.flatnonzero(few == k) for k in rng.integers(0, PILOT, PILOT)]  # noqa: B023
                at = np.concatenate(groups)
                copy = np.repeat(np.arange(PILOT), [len(group) for group in groups])
                answers = (each[own][at] for each in (truth, first, second))  # noqa: B023
                return Patients(positive, negative), pilot_answers(copy, *answers, delta=gap)  # noqa: B023

            reach = power_range(redrawn, size, redraws=options.redraws, studies=60)
            assert reach is not None
            rows.append([*made, reach.low, reach.high])
            told = f"rates {made[0]:.2f} joint {made[1]:.2f} [{reach.low:.2f}, {reach.high:.2f}]"
            CONSOLE.print(f"{name:55} {size:4} {told} found {made[2]:.2f}", markup=False)
    found = np.array(rows)
    inside = (found[:, 3] <= found[:, 2]) & (found[:, 2] <= found[:, 4])
    CONSOLE.print(f"range: holds what was found in {inside.mean():.0%} of {len(found)} cases")
    for column, kind in enumerate(("rates", "joint")):
        error = found[:, column] - found[:, 2]
        CONSOLE.print(
            f"{kind}: promised {found[:, column].mean():.3f}, found {found[:, 2].mean():.3f}, "
            f"mean error {error.mean():+.3f}, mean absolute {np.abs(error).mean():.3f}, "
            f"from {error.min():+.2f} to {error.max():+.2f}"
        )


def _f1(truth: np.ndarray, answer: np.ndarray) -> float:
    return float(2 * (truth & answer).sum() / (truth.sum() + answer.sum()))


if __name__ == "__main__":
    main()
