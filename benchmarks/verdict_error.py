"""How often something is claimed where there is nothing: against always-yes, over features, and of equivalence.

Patients of the published S3 answers are drawn anew. *Verdicts*: a model's answers are repaired or spoilt until its F1
equals that of always-yes for every feature. *Families*: one model's until its score equals another's. *Equivalence*:
two models stand for two wordings, and the margin is their true difference.

    semiology baselines import s3 ../shared/s3_published --out s3_answers.csv
    python benchmarks/verdict_error.py s3_answers.csv --studies 400
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import CONSOLE, parser
from redrawn_patients import equalised, grids, published_rows

from semiology.metrics.arrays import Bools, Codes, Floats
from semiology.metrics.paired.comparison import compare_tables
from semiology.metrics.paired.tables import PairedTables
from semiology.metrics.paired.verdict import verdict
from semiology.metrics.statistics.equivalence import share_equivalence

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


def families(rows: pd.DataFrame, measure: str, size: int, studies: int, seed: int) -> dict[str, float]:
    """Return the share of studies with any claim on a feature, where each pair of scores is equal, and where not."""
    rng, known = np.random.default_rng([seed, size]), grids(rows)
    claims: dict[str, list[bool]] = {"equal": [], "as they are": []}
    pairs = list(pairwise(known))
    score = SCORES[measure]
    for number in range(studies):
        a, b = pairs[number % len(pairs)]
        ids, patient, truth, first, names = known[a]
        other = {video: place for place, video in enumerate(known[b][0])}
        shared = np.array([i for i, video in enumerate(ids) if video in other])
        second = known[b][3][[other[ids[i]] for i in shared]]
        truth, first = truth[shared], first[shared]
        patient = np.unique(patient[shared], return_inverse=True)[1]
        likely = _tuned(a, b, measure, truth, first, second, score)
        at, own = redrawn(patient, size, rng)
        for kind, said in (("equal", rng.random(likely[at].shape) < likely[at]), ("as they are", second[at])):
            found = compare_tables(tables_of(truth[at], first[at], said, own, size, names), flips=FLIPS)
            words = [verdict(each.scores[measure], 0.05) for each in found.features]
            claims[kind].append("higher" in words or "lower" in words)
    return {kind: float(np.mean(each)) for kind, each in claims.items()}


_TUNED: dict[tuple[str, str, str], Floats] = {}


def _tuned(a: str, b: str, measure: str, truth: Bools, first: Bools, second: Bools, score: object) -> Floats:
    if (a, b, measure) not in _TUNED:
        assert callable(score)
        columns = zip(truth.T.astype(float), first.T.astype(float), second.T.astype(float), strict=True)
        _TUNED[a, b, measure] = np.stack([equalised(t, y, score, score(t, x)) for t, x, y in columns], axis=1)
    return _TUNED[a, b, measure]


def on_the_margin(rows: pd.DataFrame) -> Iterator[tuple[Bools, Bools, Codes, float]]:
    """Yield right answers of two models to recordings of one true class, patients, and their true difference."""
    known = grids(rows)
    for a, b in combinations(known, 2):
        other = {video: place for place, video in enumerate(known[b][0])}
        shared = np.array([i for i, video in enumerate(known[a][0]) if video in other])
        at = [other[known[a][0][i]] for i in shared]
        patient, truth = known[a][1][shared], known[a][2][shared]
        right = [known[a][3][shared] == truth, known[b][3][at] == truth]
        for feature in range(truth.shape[1]):
            for code in (True, False):
                own = truth[:, feature] == code
                one, two = (each[own, feature] for each in right)
                gap = float(two.mean() - one.mean()) if own.any() else 0.0
                people = np.unique(patient[own], return_inverse=True)[1]
                if 0.02 <= abs(gap) <= 0.15 and people.max() >= 20:
                    yield one, two, people, gap


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
    for size in (14, 29, 116):
        for measure in SCORES:
            found = families(rows, measure, size, options.studies, options.seed)
            CONSOLE.print("families   ", size, "patients", measure, found)
    for size in (29, 116):
        rng, shares = np.random.default_rng(options.seed), []
        for one, two, patient, gap in on_the_margin(rows):
            claimed = 0
            for _ in range(options.studies // 4):
                at, own = redrawn(patient, size, rng)
                claimed += share_equivalence(two[at], one[at], own, margin=abs(gap)).verdict == "equivalent"
            shares.append(claimed / (options.studies // 4))
        CONSOLE.print(
            f"equivalence  {size} patients, {len(shares)} pairs: mean {np.mean(shares):.3f}, highest {max(shares):.3f}"
        )


if __name__ == "__main__":
    main()
