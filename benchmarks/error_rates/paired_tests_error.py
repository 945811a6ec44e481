"""False positives of paired tests on real cluster sizes: the patient sign-flip test, and McNemar's mid-p.

Two models without any difference of F1, or of balanced accuracy, answer about patients drawn from a set; some
pairs have the same rates, in others the second says yes far more often. A nominal 5 % is aimed at. For AUROC both
models have the same one (0.75) in P(yes) drawn from normal variables; in some pairs the second model's P(yes) depends
on the patient more strongly.

    python -m benchmarks.error_rates.paired_tests_error s3_answers.csv --studies 1000

The table comes from `semiology baselines import`; only its patients and truths are used.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from benchmarks.measuring import CONSOLE, parser
from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.ranking import compare_ranking
from semiology.metrics.paired.simulation import AnswerModel, Patients, f1_of_rates, simulate_tables
from semiology.metrics.paired.tables import PairedTables, measures_of
from semiology.metrics.statistics.mcnemar import mcnemar_mid_p
from semiology.metrics.statistics.sign_flip import draw_flips, flip_p_value, smallest_p

FLIPS, CORRELATION_BETWEEN_MODELS, SHARE_OF_PATIENT = 400, 0.6, 0.45
AUROC = 0.75
RANKINGS = {"AUROC, alike": (0.3, 0.3), "AUROC, second varies by patient": (0.1, 0.6)}
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


def rejected_ranking(
    patients: Patients, size: int, shares: tuple[float, float], rng: np.random.Generator
) -> bool | None:
    """Return whether the test of AUROC rejects on one study without a difference; None where it is undefined.

    Args:
        patients: drawn from. size: of the study. shares: of the patient in the variance of each model's P(yes).
    """
    drawn = rng.integers(0, len(patients.positive), size)
    counts = np.stack([patients.positive[drawn], patients.negative[drawn]], axis=1)
    of = np.repeat(np.arange(size), counts.sum(1))
    truth = np.concatenate([np.repeat([True, False], pair) for pair in counts])
    common = [rng.normal(size=n) for n in (size, len(of))]
    sides = []
    for share in shares:
        own = [
            np.sqrt(CORRELATION_BETWEEN_MODELS) * part
            + np.sqrt(1 - CORRELATION_BETWEEN_MODELS) * rng.normal(size=len(part))
            for part in common
        ]
        z = np.sqrt(2) * norm.ppf(AUROC) * truth + np.sqrt(share) * own[0][of] + np.sqrt(1 - share) * own[1]
        sides.append(norm.cdf(z))
    pairs = pd.DataFrame({"video_id": np.arange(len(of)), "patient_id": of, "feature": "tonic"})
    pairs = pairs.assign(truth=np.where(truth, "yes", "no"), first=sides[0], second=sides[1])
    found = compare_ranking(pairs, ["tonic"], flips=FLIPS)
    if found is None or found.macro is None:
        return None
    return found.features[0].score.p_value < 0.05


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
            for name, parts in RANKINGS.items():
                rng = np.random.default_rng([options.seed, size])
                ranked = [rejected_ranking(patients, size, parts, rng) for _ in range(options.studies)]
                share = np.mean([each for each in ranked if each is not None])
                CONSOLE.print(f"{size:8}  {feature:18} {name:40} {share:8.1%}        –")


if __name__ == "__main__":
    main()
