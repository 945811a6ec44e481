"""Intervals hold the truth as often as they promise: few studies with a fixed seed, redrawn from published patients."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from semiology.cli import app

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.error_rates.equivalence_error import on_the_margin
from benchmarks.error_rates.family_error import JUDGING, Pair, claims, published_pairs, studies_of
from benchmarks.error_rates.interval_coverage import UNEVEN, Found, redrawn, uneven
from benchmarks.error_rates.redrawn_patients import Population, populations, published_rows
from benchmarks.error_rates.verdict_error import FLIPS, SCORES, tables_of
from benchmarks.error_rates.verdict_error import redrawn as redrawn_rows
from semiology.metrics.paired.comparison import ALPHA, compare_tables
from semiology.metrics.paired.verdict import verdict
from semiology.metrics.statistics.sign_flip import TAIL_FACTOR

PUBLISHED = Path(__file__).parents[3] / "shared" / "s3_published"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not PUBLISHED.is_dir():
        pytest.skip(f"the published answers are not at {PUBLISHED}")
    table = tmp_path_factory.mktemp("s3") / "answers.csv"
    done = CliRunner().invoke(app, ["baselines", "import", "s3", str(PUBLISHED), "--out", str(table)])
    assert done.exit_code == 0, done.output
    return table


@pytest.fixture(scope="module")
def people(answers: Path) -> list[Population]:
    return populations(published_rows(answers))


def coverage(found: Found, name: str) -> float:
    held = [pair for (of, _), pairs in found.items() if of == name for pair in pairs]
    return float(np.mean([each[0] for each in held]))


# 40 studies: an error of 3.5 points for a macro mean, less for features, of which each study has ten to eighteen.
@pytest.mark.parametrize(("size", "least"), [(6, 0.87), (12, 0.87), (29, 0.87)])
def test_macro_f1_keeps_its_promise_at_few_patients(
    people: list[Population], size: int, least: float
) -> None:
    assert coverage(redrawn(people, size, 40, 5), "macro f1") >= least


def test_f1_and_proportions_of_features_keep_their_promise(people: list[Population]) -> None:
    found = redrawn(people, 29, 40, 5)
    for name in ("f1", "precision", "recall", "specificity"):
        assert coverage(found, name) >= 0.92, name
    assert coverage(found, "balanced_accuracy") >= 0.88


def test_f1_of_very_unequal_patients_has_no_interval_or_one_that_holds() -> None:
    for name, sizes in UNEVEN.items():
        found = uneven(sizes, name, 200, 0)
        for (score, _), held in found.items():
            shares = np.array(held, dtype=float)[:, 0]
            # an error of 1.5 points
            assert shares.mean() >= 0.91, (name, score)


def test_the_paired_tables_of_the_benchmark_count_each_recording_once(answers: Path) -> None:
    truth = np.array([[True], [False], [True]])
    first, second = ~truth, truth
    found = tables_of(truth, first, second, np.array([0, 0, 1]), 2, ("tonic",))
    assert found.first.sum() == found.second.sum() == 3
    assert found.changed.tolist() == [[2], [1]]
    assert (found.only_first.tolist(), found.only_second.tolist()) == ([0], [3])
    case = next(on_the_margin(published_rows(answers)))
    better = case.variant.astype(float) - case.reference
    gaps = [abs(better[case.truth == code].mean()) for code in (0, 1)]
    assert max(gaps) == pytest.approx(case.margin)
    rows, own = redrawn_rows(case.patient, 7, np.random.default_rng(0))
    assert len(rows) == len(own)
    assert set(own.tolist()) == set(range(7))
    assert case.tested(rows, own).verdict in ("undecided", "not equivalent")


@pytest.mark.parametrize("measure", ["f1", "balanced_accuracy"])
def test_the_quick_family_of_the_benchmark_claims_what_a_comparison_claims(
    answers: Path, measure: str
) -> None:
    pairs = published_pairs(published_rows(answers, JUDGING), JUDGING[:2], 1, measure)
    assert score_gap(pairs[0], measure) < 1e-9
    for tables in studies_of(pairs, 40, 4, 2):
        compared = compare_tables(tables, flips=FLIPS).features
        claimed = any(verdict(each.scores[measure], ALPHA) in ("higher", "lower") for each in compared)
        assert claims(tables, measure, [TAIL_FACTOR]) == [claimed]


def score_gap(pair: Pair, measure: str) -> float:
    truth, first = pair.truth.astype(float), pair.first.astype(float)
    return max(
        abs(SCORES[measure](t, x) - SCORES[measure](t, y))
        for t, x, y in zip(truth.T, first.T, pair.likely.T, strict=True)
    )
