"""How often 95 % intervals hold the truth, where patients of the published answers are drawn anew.

The population is the published S3 patients with a published model's answers; a study draws some of them with
replacement, so the likeness of a patient's recordings is the real one, and the truth is the population's score.
The last rows are of simulated studies in which few patients hold most recordings.

    semiology baselines import s3 ../shared/s3_published --out s3_answers.csv
    python -m benchmarks.error_rates.interval_coverage s3_answers.csv --studies 400
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.error_rates.redrawn_patients import Population, populations, published_rows
from benchmarks.measuring import CONSOLE, parser
from semiology.metrics.arrays import Floats
from semiology.metrics.scores.classification import feature_table_scores
from semiology.metrics.scores.run_scores import score_tables
from semiology.metrics.statistics.intervals import Estimate, f1_estimate, proportion_estimate

SIZES = (6, 8, 12, 29, 116)
SHOWN = ("f1", "precision", "recall", "specificity", "balanced_accuracy", "mcc", "f1_minus_always_yes")
UNEVEN: dict[str, tuple[int, ...]] = {
    "one of 200 and 29 of 1": (200, *[1] * 29),
    "one of 60 and 19 of 3": (60, *[3] * 19),
    "two of 40 and 20 of 2": (40, 40, *[2] * 20),
    "three of 20 and 20 of 2": (20, 20, 20, *[2] * 20),
}
SHARES = (0.30, 0.20, 0.10, 0.40)
"""True positives, missed, false alarms and true negatives of the uneven studies (tables row by row)."""
CORRELATION = 0.28

Found = dict[tuple[str, str], list[tuple[bool, float]]]
"""Whether each interval held the truth, and its width, by what it is of and the size of the study."""


def noted(found: Found, name: str, size: str, estimate: Estimate, truth: float) -> None:
    """Note an interval; one that is withheld counts for nothing."""
    if estimate.low is not None and estimate.high is not None and not np.isnan(truth):
        held = estimate.low <= truth <= estimate.high
        found[name, size].append((held, estimate.high - estimate.low))


def redrawn(people: Sequence[Population], size: int, studies: int, seed: int) -> Found:
    """Return what the intervals of so many studies of a size held."""
    rng, found = (
        np.random.default_rng([seed, size]),
        defaultdict[tuple[str, str], list[tuple[bool, float]]](list),
    )
    for number in range(studies):
        own = people[number % len(people)]
        true = feature_table_scores(own.counts.sum(0), own.features)
        run = score_tables(own.drawn(size, rng))
        for each in run.features:
            place = own.features.index(each.feature)
            for name in SHOWN:
                noted(found, name, str(size), each.estimates[name], float(true[name][place]))
        macro = run.macros[0]
        used = [own.features.index(name) for name in macro.features]
        for name in ("f1", "f1_minus_always_yes"):
            noted(found, f"macro {name}", str(size), macro.estimates[name], float(np.mean(true[name][used])))
    return found


def uneven(sizes: Sequence[int], name: str, studies: int, seed: int) -> Found:
    """Return what intervals held of studies where few patients hold most recordings; answers are simulated."""
    rng, found = np.random.default_rng(seed), defaultdict[tuple[str, str], list[tuple[bool, float]]](list)
    tp, fn, fp, _ = SHARES
    for _ in range(studies):
        shares: Floats = rng.dirichlet(np.array(SHARES) * (1 / CORRELATION - 1), size=len(sizes))
        counts = np.stack([rng.multinomial(n, p) for n, p in zip(sizes, shares, strict=True)]).astype(float).T
        f1 = f1_estimate(counts[0], counts[2], counts[1], n=sum(sizes), n_patients=len(sizes))
        noted(found, "f1", name, f1, 2 * tp / (2 * tp + fn + fp))
        noted(found, "recall", name, proportion_estimate(counts[0], counts[0] + counts[1]), tp / (tp + fn))
    return found


def main() -> None:
    """Print coverage, its Monte-Carlo error and the mean width, one row per score and size."""
    described = parser(__doc__)
    described.add_argument("answers", type=Path)
    described.add_argument("--studies", type=int, default=400)
    described.add_argument("--seed", type=int, default=5)
    options = described.parse_args()
    people = populations(published_rows(options.answers))
    CONSOLE.print("patients                 score                        intervals  coverage (error)  width")
    for size in SIZES:
        show(redrawn(people, size, options.studies, options.seed), options.studies)
    for name, sizes in UNEVEN.items():
        show(uneven(sizes, name, options.studies, options.seed), options.studies)


def show(found: Found, studies: int) -> None:
    """Print rows; features of one study are alike, so the error counts studies."""
    for (name, size), held in found.items():
        values = np.array(held, dtype=float)
        coverage = values[:, 0].mean()
        error = np.sqrt(coverage * (1 - coverage) / min(studies, len(values)))
        CONSOLE.print(
            f"{size:24} {name:28} {len(values):9} {coverage:9.3f} ({error:.3f})   {values[:, 1].mean():.3f}"
        )


if __name__ == "__main__":
    main()
