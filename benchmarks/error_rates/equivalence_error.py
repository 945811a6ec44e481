"""How often a wording is called equivalent that is not: the rule of a sweep, on the margin, under real dependence.

Two models of the published S3 answers stand for the reference and another wording; patients are drawn anew with all
their recordings. The margin is their true difference, the larger of recall's and specificity's, so every "equivalent"
is false. *One test*: of each pair and feature, the five highest shares drawn anew, as the highest of many shares is
high by chance. *Family*: all features of a pair adjusted together, any claim. *Always no*: what a sweep says at the
margin of 0.05 of answering "no" throughout, on the answers as they are.

    semiology baselines import s3 ../shared/s3_published --out s3_answers.csv
    python -m benchmarks.error_rates.equivalence_error s3_answers.csv --studies 200
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.error_rates.redrawn_patients import grids, published_rows
from benchmarks.error_rates.verdict_error import redrawn
from benchmarks.measuring import CONSOLE, parser, print_table
from semiology.metrics.arrays import Bools, Codes
from semiology.metrics.statistics.equivalence import (
    DEFAULT_MARGIN,
    Equivalence,
    adjust_for_family,
    wording_equivalence,
)

SIZES = (29, 116)
WIDEST, NARROWEST = 0.15, 0.02
FEWEST_PATIENTS = 20
"""With and without the feature in the population: what a share is about should be known there."""


class OnTheMargin(NamedTuple):
    """Two wordings of one feature: truth codes, patients and whether each is right, all (n,), and their difference."""

    models: tuple[str, str]
    feature: str
    truth: Codes
    patient: Codes
    reference: Bools
    variant: Bools
    margin: float

    def tested(self, rows: Codes, patient: Codes) -> Equivalence:
        """Return what the rule says of some rows."""
        return wording_equivalence(
            self.variant[rows], self.reference[rows], self.truth[rows], patient, margin=self.margin
        )


def on_the_margin(rows: pd.DataFrame) -> Iterator[OnTheMargin]:
    """Yield every pair of models and feature whose rates differ by 2 to 15 points."""
    known = grids(rows)
    for a, b in combinations(known, 2):
        place = {video: i for i, video in enumerate(known[b][0])}
        shared = np.array([i for i, video in enumerate(known[a][0]) if video in place])
        at = [place[known[a][0][i]] for i in shared]
        patient = np.unique(known[a][1][shared], return_inverse=True)[1].astype(np.int64)
        truth = known[a][2][shared]
        right = known[a][3][shared] == truth, known[b][3][at] == truth
        for f, feature in enumerate(known[a][4]):
            one, two, shown = right[0][:, f], right[1][:, f], truth[:, f]
            gaps = [abs(float(two[own].mean() - one[own].mean())) for own in (shown, ~shown)]
            people = min(len(set(patient[own].tolist())) for own in (shown, ~shown))
            if NARROWEST <= max(gaps) <= WIDEST and people >= FEWEST_PATIENTS:
                yield OnTheMargin((a, b), feature, (~shown).astype(np.int64), patient, one, two, max(gaps))


def one_test(cases: Sequence[OnTheMargin], size: int, studies: int, seed: int) -> list[float]:
    """Return the share of studies that claim equivalence, of each case."""
    found = []
    for number, case in enumerate(cases):
        rng = np.random.default_rng([seed, size, number])
        drawn = (case.tested(*redrawn(case.patient, size, rng)) for _ in range(studies))
        found.append(float(np.mean([test.verdict == "equivalent" for test in drawn])))
    return found


def family(cases: Sequence[OnTheMargin], size: int, studies: int, seed: int) -> float:
    """Return the share of studies, spread over pairs of models, with any claim of equivalence after adjustment."""
    rng, pairs = np.random.default_rng([seed, size]), sorted({case.models for case in cases})
    claimed = []
    for study in range(studies):
        own = [case for case in cases if case.models == pairs[study % len(pairs)]]
        rows, patient = redrawn(own[0].patient, size, rng)
        tests = adjust_for_family([case.tested(rows, patient) for case in own])
        claimed.append(any(test is not None and test.verdict == "equivalent" for test in tests))
    return float(np.mean(claimed))


def always_no(rows: pd.DataFrame) -> list[tuple[str, str, float]]:
    """Return models and features of which "no" throughout is called equivalent, with the recall that is lost."""
    found = []
    for model, (_, patient, truth, answer, features) in grids(rows).items():
        tests = adjust_for_family(
            [
                wording_equivalence(
                    ~shown, said == shown, (~shown).astype(np.int64), patient, margin=DEFAULT_MARGIN
                )
                for shown, said in zip(truth.T, answer.T, strict=True)
            ]
        )
        found += [
            (model, name, float(said[shown].mean()))
            for test, name, shown, said in zip(tests, features, truth.T, answer.T, strict=True)
            if test is not None and test.verdict == "equivalent"
        ]
    return found


def main() -> None:
    """Print a row for each number of patients."""
    described = parser(__doc__)
    described.add_argument("answers", type=Path)
    described.add_argument(
        "--studies", type=int, default=200, help="of each pair and feature; ten times as many families"
    )
    described.add_argument("--seed", type=int, default=3)
    options = described.parse_args()
    rows = published_rows(options.answers)
    cases, made = list(on_the_margin(rows)), []
    for size in SIZES:
        shares = one_test(cases, size, options.studies, options.seed)
        worst = [cases[i] for i in np.argsort(shares)[::-1][:5]]
        again = one_test(worst, size, 10 * options.studies, options.seed + 1)
        together = family(cases, size, 10 * options.studies, options.seed + 2)
        CONSOLE.print(
            size, "patients; worst:", [(c.models, c.feature, round(c.margin, 3)) for c in worst], again
        )
        made.append(
            [size, len(cases), *(f"{x:.1%}" for x in (np.mean(shares), max(shares), max(again), together))]
        )
    print_table(
        ["patients", "pairs and features", "mean", "highest", "highest five drawn anew", "family"], made
    )
    error = [(0.05 * 0.95 / n) ** 0.5 for n in (options.studies, 10 * options.studies)]
    CONSOLE.print(
        f"Monte-Carlo error at 5 %: {error[0]:.1%} of one share, {error[1]:.1%} of the last two columns"
    )
    CONSOLE.print(f"always no called equivalent within {DEFAULT_MARGIN}: {always_no(rows) or 'never'}")


if __name__ == "__main__":
    main()
