"""How often some feature is claimed to differ where none does: max-T on data that did not choose it.

Max-T holds large quotients against a t distribution of few degrees of freedom (`sign_flip.TAIL_FACTOR` times patients
over kurtosis). *chosen*: the factor is chosen on every second patient of the published S3 answers and pairs of three
models: the largest with which no cell is above 5 % beyond Monte-Carlo error. *held out*: what ships is judged on the
other patients and pairs of three other models. *simulated*: on the patients and truths of EMBC (15 features labelled
throughout) with simulated joint answers, of which the second model says yes far more often at an equal score. In the
first two, one model's answers are repaired or spoilt until its score equals the other's for every feature.

    semiology baselines import s3 ../shared/s3_published --out s3_answers.csv
    python -m benchmarks.error_rates.family_error s3_answers.csv --embc ../shared/embc_published --studies 600
    python -m benchmarks.error_rates.family_error s3_answers.csv --parts "held out" --studies 1000
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from benchmarks.error_rates.paired_tests_error import (
    CAUTIOUS,
    CORRELATION_BETWEEN_MODELS,
    SHARE_OF_PATIENT,
    pairs_of_rates,
)
from benchmarks.error_rates.redrawn_patients import equalised, grids, published_rows
from benchmarks.error_rates.verdict_error import FLIPS, SCORES, redrawn, tables_of
from benchmarks.measuring import CONSOLE, parser, print_table
from semiology.features import FEATURES
from semiology.metrics.arrays import Bools, Codes, Floats
from semiology.metrics.paired.comparison import ALPHA, family_p_values
from semiology.metrics.paired.tables import PairedTables, measures_of
from semiology.metrics.statistics import sign_flip
from semiology.metrics.statistics.sign_flip import draw_flips

CHOOSING = ("Qwen3-VL-32B", "Qwen2.5-VL-7B", "InternVL3_5-8B")
JUDGING = ("Qwen3-VL-8B", "Qwen2.5-VL-32B", "Qwen2.5-Omni-7B")
SIZES = (14, 29, 116)
FACTORS = (1.0, 2.0, 3.0, 1e9)
"""The last one is no correction."""


class Pair(NamedTuple):
    """Two models without a difference: patients (n,), truth and first answers (n, F), chance of a second yes (n, F)."""

    patient: Codes
    truth: Bools
    first: Bools
    likely: Floats
    features: tuple[str, ...]


def published_pairs(rows: pd.DataFrame, models: Sequence[str], half: int, measure: str) -> list[Pair]:
    """Return pairs of models on every second patient (``half`` 0 or 1), the second brought to the first's score."""
    known, found = grids(rows, models), []
    for a, b in combinations(models, 2):
        ids, patient, truth, first, names = known[a]
        place = {video: i for i, video in enumerate(known[b][0])}
        own = np.array([i for i, video in enumerate(ids) if video in place and patient[i] % 2 == half])
        second = known[b][3][[place[ids[i]] for i in own]]
        columns = zip(*(each.T.astype(float) for each in (truth[own], first[own], second)), strict=True)
        score = SCORES[measure]
        likely = np.stack([equalised(t, y, score, score(t, x)) for t, x, y in columns], axis=1)
        codes = np.unique(patient[own], return_inverse=True)[1].astype(np.int64)
        found.append(Pair(codes, truth[own], first[own], likely, names))
    return found


def embc_truths(folder: Path) -> tuple[Codes, Bools, tuple[str, ...]]:
    """Return patients (n,), truths (n, F) and the features that are labelled in every recording of EMBC."""
    table = pd.read_csv(folder / "annotations.csv")
    names = tuple(name for name in FEATURES if name in table and table[name].notna().all())
    return pd.factorize(table["patient_id"])[0].astype(np.int64), table[list(names)].to_numpy() == 1, names


def simulated(
    patient: Codes, truth: Bools, measure: str, prevalence: Floats, rng: np.random.Generator
) -> tuple[Bools, Bools]:
    """Return answers of two models with one population score: right ones go together by patient and recording."""
    n, count = truth.shape
    own = rng.normal(size=(patient.max() + 1, count))[patient]
    common = 0.5**0.5 * rng.normal(size=(n, 1)) + 0.5**0.5 * rng.normal(size=(n, count))
    name = {"f1": "says yes more, same F1", "balanced_accuracy": "says yes more, same balanced accuracy"}[
        measure
    ]
    rates = [CAUTIOUS, *(pairs_of_rates(float(p)).get(name, (measure, CAUTIOUS))[1] for p in prevalence)]
    answers = []
    for model in range(2):
        left = 1 - SHARE_OF_PATIENT
        parts = left * CORRELATION_BETWEEN_MODELS, left * (1 - CORRELATION_BETWEEN_MODELS)
        skill = (
            SHARE_OF_PATIENT**0.5 * own
            + parts[0] ** 0.5 * common
            + parts[1] ** 0.5 * rng.normal(size=(n, count))
        )
        pairs = np.array([rates[0]] * count if model == 0 else rates[1:])
        answers.append((norm.cdf(skill) < np.where(truth, pairs[:, 0], pairs[:, 1])) == truth)
    return answers[0], answers[1]


def claims(tables: PairedTables, measure: str, factors: Sequence[float]) -> list[bool]:
    """Return for each factor whether the rule that ships says of any feature that the second model is higher or lower.

    It is the smallest p-value by max-T of `compare_tables`, without what else that computes.
    """
    first, second = (
        measures_of(side.sum(0), tables.features)[measure] for side in (tables.first, tables.second)
    )
    signs, shipped, told = draw_flips(len(tables.patients), FLIPS, 0), sign_flip.TAIL_FACTOR, []
    for factor in factors:
        sign_flip.TAIL_FACTOR = factor
        _, (_, max_t, _, _) = family_p_values(tables, measure, second - first, signs)
        told.append(bool((max_t < ALPHA).any()))
    sign_flip.TAIL_FACTOR = shipped
    return told


def studies_of(pairs: Sequence[Pair], size: int, number: int, seed: int) -> Iterator[PairedTables]:
    """Yield the tables of studies on redrawn patients."""
    rng = np.random.default_rng([seed, size])
    for study in range(number):
        pair = pairs[study % len(pairs)]
        at, own = redrawn(pair.patient, size, rng)
        second = rng.random((len(at), len(pair.features))) < pair.likely[at]
        yield tables_of(pair.truth[at], pair.first[at], second, own, size, pair.features)


def simulated_studies(
    folder: Path, measure: str, size: int, number: int, seed: int
) -> Iterator[PairedTables]:
    """Yield the tables of studies on redrawn patients of EMBC, with simulated answers."""
    rng, (patient, truth, names) = np.random.default_rng([seed, size]), embc_truths(folder)
    for _ in range(number):
        at, own = redrawn(patient, size, rng)
        first, second = simulated(own, truth[at], measure, truth.mean(0), rng)
        yield tables_of(truth[at], first, second, own, size, names)


def main() -> None:
    """Print the share of studies with a false claim by part, size, score and factor."""
    described = parser(__doc__)
    described.add_argument("answers", type=Path)
    described.add_argument("--embc", type=Path)
    described.add_argument("--parts", nargs="*", default=["chosen", "held out", "simulated"])
    described.add_argument("--studies", type=int, default=600)
    described.add_argument("--seed", type=int, default=11)
    options = described.parse_args()
    rows, number, rowed = published_rows(options.answers, CHOOSING + JUDGING), options.studies, []
    makers: dict[str, Callable[[str, int], Iterator[PairedTables]]] = {
        "chosen": lambda m, size: studies_of(
            published_pairs(rows, CHOOSING, 0, m), size, number, options.seed
        ),
        "held out": lambda m, size: studies_of(
            published_pairs(rows, JUDGING, 1, m), size, number, options.seed
        ),
    }
    if options.embc is not None:
        makers["simulated"] = lambda m, size: simulated_studies(options.embc, m, size, number, options.seed)
    for part in (name for name in options.parts if name in makers):
        factors = FACTORS if part == "chosen" else (sign_flip.TAIL_FACTOR,)
        for size in SIZES:
            for measure in SCORES:
                found = [claims(tables, measure, factors) for tables in makers[part](measure, size)]
                shares = dict(zip(factors, np.mean(found, axis=0), strict=True))
                told = {
                    "without" if f == FACTORS[-1] else f"{f:g}": f"{share:.1%}" for f, share in shares.items()
                }
                CONSOLE.print(part, size, "patients", measure, told)
                rowed.append([part, size, measure, ", ".join(f"{f} {share}" for f, share in told.items())])
    error = (0.05 * 0.95 / number) ** 0.5
    CONSOLE.print(f"{number} studies a row; Monte-Carlo error at 5 %: {error:.1%}")
    print_table(["data", "patients", "score", "share of studies with a false claim, by factor"], rowed)


if __name__ == "__main__":
    main()
