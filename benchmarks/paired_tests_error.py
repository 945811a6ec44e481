"""False positives of paired tests on real cluster sizes: the patient sign-flip test, and McNemar's mid-p.

Two models without any difference of F1, or of balanced accuracy, answer about patients drawn from a set; some
pairs have the same rates, in others the second says yes far more often. A nominal 5 % is aimed at.

    python benchmarks/paired_tests_error.py s3_answers.csv --studies 1000

The table comes from `semiology baselines import`; only its patients and truths are used.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from measuring import CONSOLE, parser
from scipy.optimize import brentq

from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.simulation import AnswerModel, Patients, f1_of_rates, simulate_tables
from semiology.metrics.paired.tables import PairedTables, measures_of
from semiology.metrics.statistics.mcnemar import mcnemar_mid_p
from semiology.metrics.statistics.sign_flip import draw_flips, flip_p_value, smallest_p

FLIPS, CORRELATION_BETWEEN_MODELS, SHARE_OF_PATIENT = 400, 0.6, 0.45
CAUTIOUS, EAGER = (0.40, 0.85), 0.80


def pairs_of_rates(prevalence: float) -> dict[str, tuple[str, tuple[float, float]]]:
    """Return the second model's rates by name, with the measure in which it equals the first."""
    found = {
        "same rates": ("f1", CAUTIOUS),
        "says yes more, same balanced accuracy": ("balanced_accuracy", (EAGER, sum(CAUTIOUS) - EAGER)),
    }

    def gap(specificity: float) -> float:
        return f1_of_rates(EAGER, specificity, prevalence) - f1_of_rates(*CAUTIOUS, prevalence)

    if gap(0.01) < 0 < gap(0.99):
        found["says yes more, same F1"] = ("f1", (EAGER, float(brentq(gap, 0.01, 0.99))))
    return found


def rejected(tables: PairedTables, measure: str, flips: int) -> tuple[bool, bool] | None:
    """Return whether the sign-flip test and McNemar's reject; None where a score is undefined."""
    first, second = (
        measures_of(side.sum(0), tables.features)[measure] for side in (tables.first, tables.second)
    )
    seen = second - first
    if np.isnan(seen[0]):
        return None
    drawn = draw_flips(len(tables.patients), flips, 0)
    p = flip_p_value(seen, drawn.sums(contributions(tables, measure, seen)), drawn)[0]
    p = max(float(p), float(smallest_p(int((tables.changed > 0).sum()))))
    ignoring = mcnemar_mid_p(int(tables.only_first[0]), int(tables.only_second[0]))
    return p < 0.05, ignoring < 0.05


def main() -> None:
    """Print one row per size of study, feature and pair of models."""
    described = parser(__doc__)
    described.add_argument("answers")
    described.add_argument("--studies", type=int, default=1000)
    described.add_argument("--seed", type=int, default=7)
    options = described.parse_args()
    rows = pd.read_csv(options.answers, dtype=str, keep_default_na=False)
    rows = rows[(rows["task"] == "feature") & rows["truth"].isin(["yes", "no"])]
    rows = rows.drop_duplicates(["video_id", "feature"])
    CONSOLE.print("patients  feature            models                                  sign-flip  McNemar")
    for size in (24, 29, 116):
        for feature in ("tonic", "oral_automatisms"):
            own = rows[rows["feature"] == feature].assign(yes=lambda frame: frame["truth"] == "yes")
            counts = own.groupby("patient_id")["yes"].agg(["sum", "count"]).to_numpy()
            patients = Patients(counts[:, 0], counts[:, 1] - counts[:, 0])
            for name, (measure, second) in pairs_of_rates(patients.prevalence).items():
                model = AnswerModel(
                    CAUTIOUS, second, float("nan"), float("nan"), SHARE_OF_PATIENT, CORRELATION_BETWEEN_MODELS
                )
                rng = np.random.default_rng([options.seed, size])
                found = [
                    rejected(simulate_tables(patients, size, model, rng, feature), measure, FLIPS)
                    for _ in range(options.studies)
                ]
                shares = np.mean([pair for pair in found if pair is not None], axis=0)
                CONSOLE.print(f"{size:8}  {feature:18} {name:40} {shares[0]:8.1%} {shares[1]:8.1%}")


if __name__ == "__main__":
    main()
