from __future__ import annotations

from typing import Any

import pytest

from semiology.reports.protected import unrecorded_looks
from semiology.reports.read.run_facts import caveats, run_facts

FORMS = {"default": {"sound": "none"}, "qwen2_5_omni": {"sound": "array"}}


def results(model: str = "qwen2_5_vl", sound: str | None = None, **described: Any) -> dict[str, Any]:
    """A results file as lmms-eval writes it, cut to what is read."""
    metadata = {"recording_set": "emu 1", "sound": sound, **described}
    task = {
        "task": "semiology_ictal_vocalization",
        "metadata": metadata,
        "lmms_eval_specific_kwargs": FORMS,
    }
    return {
        "config": {"model": model, "model_args": "pretrained=/x/y", "limit": None},
        "configs": {"semiology_ictal_vocalization": task},
    }


@pytest.mark.parametrize(
    ("model", "sound", "deaf"),
    [
        ("qwen2_5_vl", None, True),
        ("qwen2_5_omni", None, False),
        ("openai", "data_url", False),
        ("qwen2_5_omni", "none", True),
    ],
)
def test_a_model_asked_about_sound_without_sound_is_deaf(model: str, sound: str | None, deaf: bool) -> None:
    assert run_facts(results(model, sound))["deaf"] is deaf


def test_a_run_about_pictures_only_is_not_deaf() -> None:
    record = results()
    record["configs"]["semiology_ictal_vocalization"]["task"] = "semiology_tonic"
    assert run_facts(record)["deaf"] is False


def test_simulated_recordings_and_left_out_ones_are_told() -> None:
    facts = run_facts(results(simulated=True, recordings_without_usable_video=["A1", "A2"]))
    text = " ".join(caveats({"m": facts}))
    assert "simulated" in text
    assert "2 recordings could not be used" in text


def test_the_embedded_model_is_known_by_its_checkpoint() -> None:
    record = results()
    record["config"]["model_args"] = "pretrained=/somewhere/backends/tiny/checkpoint,device=cpu"
    assert run_facts(record)["embedded_model"] is True


def test_what_was_not_asked_is_told_by_feature() -> None:
    facts = run_facts(results(recordings_without_sound=2, recordings_annotated_na=0))
    assert "2 without sound (ictal_vocalization)" in " ".join(caveats({"m": facts}))


def test_foreign_results_tell_nothing() -> None:
    assert caveats({"m": run_facts({"results": {}, "configs": {"mmmu_val": {"task": "mmmu_val"}}})}) == ()


def test_a_look_at_protected_patients_without_their_set_is_said_to_be_in_no_ledger() -> None:
    facts = run_facts(results(recordings_protected={"test": 12, "confirm": 0}))
    assert "confirm_opened" not in facts
    (told,) = unrecorded_looks({"m": facts, "n": run_facts(results())})
    assert told.startswith("the runs were asked about 12 recordings of the split test;")
    assert told.endswith("→ add --data DIR to have it counted")
    assert unrecorded_looks({"n": run_facts(results(recordings_protected={"test": 0, "confirm": 0}))}) == []
