"""What the best of 20 searches seems to gain on one test where nothing gains, and what is left once corrected.

    python -m benchmarks.error_rates.best_of_searches --studies 300

Twenty wordings and the first answer simulated test recordings (40 % with the feature), all right equally often; a share
of the answers is common to all, as wordings of one model agree. The correction is the one that `semiology optimize`
prints (`optimization/search/looks.py`). The table of docs/start/protection.md comes from here.
"""

from __future__ import annotations

import numpy as np

from benchmarks.measuring import CONSOLE, parser
from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.best_wording import best_of_k
from semiology.metrics.scores.counts import ANSWERS
from semiology.optimization.search.looks import FOLDS

YES, NO = ANSWERS.index("yes"), ANSWERS.index("no")
SEARCHES = 20
RIGHT = 0.7
PREVALENCE = 0.4


def drawn(
    rng: np.random.Generator, patients: int, each: int, shared: float, better: float = 0.0
) -> WordingAnswers:
    """Return the answers of the first wording and of as many as there are searches; one is right more often."""
    n = patients * each
    truth = np.where(rng.random(n) < PREVALENCE, YES, NO)
    common = rng.random(n) < RIGHT
    answers = []
    for wording in range(SEARCHES + 1):
        own = rng.random(n) < RIGHT + (better if wording == 1 else 0)
        right = np.where(rng.random(n) < shared, common, own)
        answers.append(np.where(right, truth, np.where(truth == YES, NO, YES)))
    k = SEARCHES + 1
    return WordingAnswers(
        feature="tonic",
        wordings=tuple(f"w{i}" for i in range(k)),
        families=("optimized",) * k,
        polarities=("positive",) * k,
        reference=0,
        recordings=tuple(map(str, range(n))),
        patients=tuple(map(str, range(patients))),
        patient=np.repeat(np.arange(patients), each),
        truth=truth,
        answers=np.array(answers),
    )


def main() -> None:
    """Print a row for each size of the test."""
    words = parser(__doc__)
    words.add_argument("--studies", type=int, default=300)
    studies = words.parse_args().studies
    CONSOLE.print("| test patients (recordings) | answers shared | one better by | best of 20 | corrected |")
    CONSOLE.print("| --- | --- | --- | --- | --- |")
    cases = [(p, e, s, 0.0) for p, e in ((6, 3), (12, 3), (24, 2)) for s in (0.5, 0.8)]
    for patients, each, shared, better in [*cases, (24, 2, 0.3, 0.2)]:
        rng = np.random.default_rng(patients)
        found = [
            best_of_k(drawn(rng, patients, each, shared, better), folds=min(FOLDS, patients), resamples=100)
            for _ in range(studies)
        ]
        best = np.nanmean([one.apparent - one.reference for one in found])
        corrected = np.nanmean([one.held_out.value - one.reference for one in found])
        CONSOLE.print(
            f"| {patients} ({patients * each}) | {shared:.0%} | {better:g} | {best:+.3f} | {corrected:+.3f} |"
        )


if __name__ == "__main__":
    main()
