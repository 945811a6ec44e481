"""Time the robustness tables: 2,000 patient resamples, 438 recordings of 116 patients, 20 features.

Run: ``python benchmarks/robustness_speed.py``. Ten models with 12 wordings, then one model with 40. Answers
are random; prints processor and wall seconds and peak memory.
"""

from __future__ import annotations

import resource
from time import perf_counter, process_time

import numpy as np
from rich.console import Console

from semiology.features import FEATURES
from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.scores import robustness_of
from semiology.metrics.robustness.variance import wording_permutation_test
from semiology.metrics.scores.counts import NO, UNPARSED, YES

PATIENTS, RECORDINGS, RESAMPLES = 116, 438, 2000


def random_answers(feature: str, wordings: int, rng: np.random.Generator) -> WordingAnswers:
    """Return random answers, three quarters of them right, with probabilities and a negative wording."""
    patient = np.sort(np.r_[np.arange(PATIENTS), rng.integers(0, PATIENTS, RECORDINGS - PATIENTS)])
    truth = np.where(rng.random(RECORDINGS) < 0.3, YES, NO)
    shape = (wordings, RECORDINGS)
    answers = np.where(rng.random(shape) < 0.75, truth, 1 - truth)
    answers[rng.random(shape) < 0.02] = UNPARSED
    return WordingAnswers(
        feature=feature,
        wordings=tuple(f"w{i}" for i in range(wordings)),
        families=tuple(f"family {i % 6}" for i in range(wordings)),
        polarities=("positive",) * (wordings - 1) + ("negative",),
        reference=0,
        recordings=tuple(f"v{i}" for i in range(RECORDINGS)),
        patients=tuple(f"p{i:03}" for i in range(PATIENTS)),
        patient=patient,
        truth=truth,
        answers=answers,
        p_yes=rng.random(shape),
    )


def main() -> None:
    """Print the timings."""
    console, rng = Console(), np.random.default_rng(0)
    for models, wordings in ((10, 12), (1, 40)):
        spent = np.zeros(2)
        for _ in range(models):
            answers = [random_answers(feature, wordings, rng) for feature in FEATURES]
            start = np.array([process_time(), perf_counter()])
            robustness_of(answers, resamples=RESAMPLES)
            for each in answers:
                wording_permutation_test(each.right, each.patient, permutations=RESAMPLES)
            spent += np.array([process_time(), perf_counter()]) - start
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        console.print(
            f"{models} models x {len(FEATURES)} features x {wordings} wordings x {RECORDINGS} recordings, "
            f"{RESAMPLES:,} resamples and permutations: {spent[0]:.1f} s of processor time, "
            f"{spent[1]:.1f} s by the clock, peak memory {memory:.0f} MiB"
        )


if __name__ == "__main__":
    main()
