"""How often a model is called above or below always-yes whose F1 equals it.

Patients of the published S3 answers are drawn anew, and a model's answers are repaired or spoilt until its F1 equals
that of always-yes for every feature. `family_error.py` does so for the family of features, `equivalence_error.py`
measures claims that a wording is equivalent.

    semiology baselines import s3 ../shared/s3_published --out s3_answers.csv
    python -m benchmarks.error_rates.verdict_error s3_answers.csv --studies 400
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.error_rates.redrawn_patients import equalised, grids, published_rows
from benchmarks.measuring import CONSOLE, parser
from semiology.metrics.arrays import Bools, Codes, Floats
from semiology.metrics.paired.comparison import compare_tables
from semiology.metrics.paired.tables import PairedTables
from semiology.metrics.paired.verdict import verdict

FLIPS = 999


def f1_of(truth: Floats, answer: Floats) -> float:
    """Return F1 of probabilities of yes."""
    return float(2 * (truth * answer).sum() / (truth.sum() + answer.sum()))


def balanced_of(truth: Floats, answer: Floats) -> float:
    """Return balanced accuracy of probabilities of yes."""
    right = (truth * answer).sum() / truth.sum()
    return float((right + ((1 - truth) * (1 - answer)).sum() / (1 - truth).sum()) / 2)


SCORES = {"f1": f1_of, "balanced_accuracy": balanced_of}


def tables_of(
    truth: Bools, first: Bools, second: Bools, patient: Codes, n: int, names: tuple[str, ...]
) -> PairedTables:
    """Return paired counting tables of answers, all (recordings, F)."""
    place = np.broadcast_to(np.arange(len(names)), truth.shape)
    own = np.broadcast_to(patient[:, None], truth.shape)

    def count(answer: Bools) -> Floats:
        made = np.zeros((n, len(names), 3, 4))
        np.add.at(made, (own, place, (~truth).astype(int), (~answer).astype(int)), 1)
        return made

    changed = np.zeros((n, len(names)))
    np.add.at(changed, (own, place), (first != second).astype(float))
    a, b = first == truth, second == truth
    ids = tuple(f"p{i:04d}" for i in range(n))
    return PairedTables(ids, names, count(first), count(second), changed, (a & ~b).sum(0), (b & ~a).sum(0))


def redrawn(patient: Codes, size: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Return rows of patients drawn with replacement, and the new patient of each row."""
    groups = [np.flatnonzero(patient == k) for k in range(patient.max() + 1)]
    drawn = rng.integers(0, len(groups), size)
    rows = np.concatenate([groups[k] for k in drawn])
    return rows, np.repeat(np.arange(size), [len(groups[k]) for k in drawn])


def verdicts(rows: pd.DataFrame, size: int, studies: int, seed: int) -> dict[str, float]:
    """Return the shares of studies that say above and below always-yes of macro F1, though it equals."""
    rng, told = np.random.default_rng([seed, size]), []
    for model in ("Qwen3-VL-32B", "Qwen2.5-VL-7B"):
        _, patient, truth, answer, names = grids(rows)[model]
        chance = np.ones(len(truth))
        likely = np.stack(
            [
                equalised(t, a, f1_of, f1_of(t, chance))
                for t, a in zip(truth.T.astype(float), answer.T.astype(float), strict=True)
            ],
            axis=1,
        )
        for _ in range(studies // 2):
            at, own = redrawn(patient, size, rng)
            said = rng.random((len(at), len(names))) < likely[at]
            tables = tables_of(truth[at], np.ones_like(said), said, own, size, names)
            found = compare_tables(tables, flips=FLIPS)
            told.append(verdict(found.macro["f1"], 0.05) if found.macro else "undefined")
    return {word: told.count(word) / len(told) for word in ("higher", "lower", "too few", "undefined")}


def main() -> None:
    """Print the shares of false claims with their Monte-Carlo errors."""
    described = parser(__doc__)
    described.add_argument("answers", type=Path)
    described.add_argument("--studies", type=int, default=400)
    described.add_argument("--seed", type=int, default=3)
    options = described.parse_args()
    rows = published_rows(options.answers)
    error = (0.05 * 0.95 / options.studies) ** 0.5
    CONSOLE.print(f"Monte-Carlo error at 5 %: {error:.3f}")
    for size in (6, 12, 29):
        CONSOLE.print("verdicts   ", size, "patients", verdicts(rows, size, options.studies, options.seed))


if __name__ == "__main__":
    main()
