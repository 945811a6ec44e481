"""What the page says of an enhancement is what `semiology compare` says of it, figure by figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_examples import rows_of, write_run

from semiology.metrics.paired.verdict import verdict
from semiology.reports.compare.comparison import Comparison, Options
from semiology.reports.compare.enhancements import (
    EnhancementEffect,
    compare_enhancements,
    enhancement_effects,
)
from semiology.reports.compare.sides import read_side
from semiology.reports.page.sections import VERDICTS, enhancement_sections
from semiology.reports.read.feature_answers import read_results
from semiology.reports.summary.features import labelled_recordings

LIMBS = ("arm_flexion", "tonic", "clonic")


def two_ways(root: Path, plain: float, enhanced: float, **more: Any) -> Path:
    """A run of three features without and with an enhancement, answered with these skills."""
    rows = []
    for i, feature in enumerate((*LIMBS, "head_turning")):
        rows += rows_of(feature, skill=plain, seed=i, **more)
        rows += rows_of(feature, skill=enhanced, seed=10 + i, enhancement="pose", **more)
    return write_run(root, rows, "lab/m")


def both(root: Path, features: tuple[str, ...]) -> tuple[dict[str, EnhancementEffect], Comparison]:
    recordings = labelled_recordings(read_results([root]).answers)
    effects = enhancement_effects(recordings, seed=3)
    options = Options(features=features, seed=3)
    (compared,) = compare_enhancements(read_side(str(root)), read_side(str(root)), options)
    return {f"{each.name} {each.group}": each for each in effects}, compared


@pytest.mark.parametrize("policy", ["wrong", "drop"])
def test_page_and_compare_give_the_same_figures(tmp_path: Path, policy: Any) -> None:
    root = two_ways(tmp_path, 0.6, 0.95)
    recordings = labelled_recordings(read_results([root]).answers)
    effects = enhancement_effects(recordings, policy=policy, seed=3)
    side = read_side(str(root))
    told = {(each.name, each.group): each for each in effects}
    assert len(told) == 5
    for features in ((*LIMBS, "head_turning"), LIMBS):
        options = Options(features=features, policy=policy, seed=3)
        (compared,) = compare_enhancements(side, side, options)
        scores = [(f.feature, f.scores["f1"], f.n) for f in compared.result.features]
        if features == LIMBS:  # the mean of a group is the end point over its features
            mean = told["mean", "limb_body"]
            scores = [("mean", compared.result.macro["f1"], mean.n)]
            assert mean.n_features == len(compared.result.macro_features["f1"]) == 3
        for name, score, n in scores:
            each = told[name, "facial" if name == "head_turning" else "limb_body"]
            assert (each.plain, each.enhanced) == (score.first, score.second)
            assert each.difference == score.difference
            assert (each.p_value, each.n) == (score.p_max_t, n)
            assert each.verdict == verdict(score, compared.result.alpha)
    assert told["mean", "limb_body"].verdict == "higher"


def test_the_test_decides_and_not_the_interval(tmp_path: Path) -> None:
    """An interval that leaves 0 out is no claim where the adjusted test finds none."""
    effects, _ = both(two_ways(tmp_path, 0.93, 0.8), (*LIMBS, "head_turning"))
    leaves_out = [
        each
        for each in effects.values()
        if each.difference.high is not None and each.difference.high < 0 and each.p_value >= 0.05
    ]
    assert leaves_out
    assert {each.verdict for each in leaves_out} == {"not shown"}
    rows = enhancement_sections(tuple(effects.values()), {})[0]["rows"]
    shown = {row["name"]: row["verdict"] for row in rows}
    assert all(shown[each.name] == "no clear difference" for each in leaves_out if each.name != "mean")


def test_nothing_is_claimed_on_too_few_patients_or_the_same_answers(tmp_path: Path) -> None:
    few, compared = both(two_ways(tmp_path / "few", 0.2, 1.0, videos=10), (*LIMBS, "head_turning"))
    assert compared.result.n_patients == 5
    assert {each.verdict for each in few.values()} <= {"too few", "undefined"}
    assert few["tonic limb_body"].verdict == "too few"
    rows = [row for f in LIMBS for row in rows_of(f, skill=0.8, seed=1)]
    write_run(tmp_path / "same", rows + [row | {"enhancement": "pose"} for row in rows], "lab/m")
    same, _ = both(tmp_path / "same", LIMBS)
    assert {each.verdict for each in same.values()} == {"same answers"}
    assert set(VERDICTS.values()) >= {"same answers", "too few patients", "better", "worse"}
