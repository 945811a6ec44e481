"""On the simulated ward a network beats always-yes for patients it never saw, and one of shuffled labels does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from semiology.data.simulated import simulate
from semiology.metrics.scores.run_scores import score_run
from semiology.optimization.supervised.options import TrainOptions
from semiology.optimization.supervised.scores import pooled_answers
from semiology.optimization.supervised.train import train

STATED = ("arm_flexion", "tonic")
"""Of three features those that the first training on this set put above always-yes: a check that it stays so."""


@pytest.mark.slow
def test_learning_from_labels_beats_always_yes_and_learning_from_shuffled_ones_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEMIOLOGY_QUIET", "1")
    data = tmp_path / "ward"
    simulate(
        data, patients=40, seed=7, recordings_per_patient=2, duration_s=(30.0, 45.0), size=(192, 144), fps=12,
        workers=2,
    )  # fmt: skip
    told = {}
    for shuffle in (False, True):
        options = TrainOptions(
            data, tmp_path / f"trained_{shuffle}", features="arm_flexion,arm_straightening,tonic", size=64,
            clips=4, frames=4, width=0.2, epochs=10, patience=0, batch=8, vary=False, shuffle_labels=shuffle,
        )  # fmt: skip
        training, _, predicted = train(options, lambda sentence: None)
        answers = pooled_answers(training, predicted)
        found = score_run(answers[answers["pooling"] == "max"]).features
        told[shuffle] = {each.feature: each.against_always_yes["f1"] for each in found}
        assert all(each.n == 80 for each in found)
        assert all(each.n_patients == 40 for each in found)
    assert [told[False][name] for name in STATED] == ["higher", "higher"]
    assert "higher" not in told[True].values()
