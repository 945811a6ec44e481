"""Training for real at small scale: the embedded model by answers and by rewards, on simulated patients, on the CPU.

Figures of such a run, with its control, are in docs/wordings/training_data.md. Here: that answers are learned, that the
vision tower is not touched, that replies are worth what videos show, and that training patients are not asked
afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from semiology.backends.embedded import sees
from semiology.cli import main
from semiology.data.protection.ledger import patient_mark
from semiology.data.protection.trained_on import MANIFEST, form_mark
from semiology.data.simulated import simulate
from semiology.optimization.training.export import ExportOptions, export
from semiology.optimization.training.rewards import SOUND
from semiology.optimization.training.trainer import (
    TrainingError,
    TrainingOptions,
    read_samples,
    shuffled_answers,
    train,
)

SHOWN: dict[str, Any] = {
    "fps": sees.FPS, "min_pixels": sees.MIN_PIXELS, "max_pixels": sees.MAX_PIXELS, "device": "cpu", "dtype": "float32",
}  # fmt: skip
TASKS = "s3_arm_movement_side,s3_onset_region"


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty simulated patients, ten of them for tests, in small pictures."""
    folder = tmp_path_factory.mktemp("ward")
    simulate(
        folder, patients=30, seed=11, recordings_per_patient=1, duration_s=(30.0, 34.0), size=(320, 240), fps=10,
        test_share=1 / 3,
    )  # fmt: skip
    return folder


@pytest.mark.slow
def test_answers_and_rewards_train_the_language_model_on_what_is_shown(
    ward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_here: Callable[..., Any]
) -> None:
    pytest.importorskip("trl", reason="pip install '.[training]'")
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    for form in ("sft", "grpo"):
        export(ExportOptions(form, ward, (3,)), tmp_path / form)  # type: ignore[arg-type]
    told: list[dict[str, Any]] = []
    options = TrainingOptions(
        "sft", tmp_path / "sft", str(sees.CHECKPOINT), tmp_path / "tuned", steps=60, batch=4, learning_rate=2e-3,
        **SHOWN,
    )  # fmt: skip
    tuned = train(options, log=lambda entry: told.append(dict(entry)))
    losses = [entry["loss"] for entry in told if "loss" in entry]
    assert losses[-1] < 0.5 * losses[0]
    before, after = (load_file(folder / "model.safetensors") for folder in (sees.CHECKPOINT, tuned))
    for name in set(before) & set(after):
        same = before[name].float().equal(after[name].float())
        assert same or "visual" not in name, name
    assert any(not before[name].float().equal(after[name].float()) for name in set(before) & set(after))
    assert (tuned / MANIFEST).read_bytes() == (tmp_path / "sft" / MANIFEST).read_bytes()

    arguments = ",".join(f"{name}={value}" for name, value in {"pretrained": tuned, **SHOWN}.items())
    asked = ["--data", str(ward), "--tasks", TASKS, "--model", "semiology_hf", "--model-args", arguments]
    refused = command_here(main, "semiology", "run", *asked, "--out", str(tmp_path / "no"))
    assert refused.returncode == 2
    assert "20 patients that the model was trained on" in refused.stderr
    shares = {}
    for name, words in {
        "before": ["--model", "embedded", "--data", str(ward), "--tasks", TASKS, "--split", "test"],
        "after": [*asked, "--trained-on", str(tuned)],
    }.items():
        ended = command_here(main, "semiology", "run", *words, "--out", str(tmp_path / name))
        assert ended.returncode == 0, ended.stderr
        records = [
            json.loads(line)["s3"]
            for file in (tmp_path / name).rglob("*_samples_s3_*.jsonl")
            for line in file.read_text(encoding="utf-8").splitlines()
        ]
        assert len({record["patient_id"] for record in records}) == 10
        shares[name] = sum(not record["unparsed"] for record in records) / len(records)
    assert shares["before"] < 0.1
    assert shares["after"] > 0.7

    told.clear()
    rewarded = TrainingOptions(
        "grpo", tmp_path / "grpo", str(tuned), tmp_path / "more", steps=3, batch=1, generations=4, new_tokens=8,
        learning_rate=1e-4, **SHOWN,
    )  # fmt: skip
    more = train(rewarded, log=lambda entry: told.append(dict(entry)))
    assert 0 < told[-1]["reward"] <= 1
    assert (more / "model.safetensors").exists()


@pytest.mark.slow
def test_log_probabilities_are_those_of_the_model_that_sees_the_video(
    ward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRL alone would leave the videos out; rows of a batch have other lengths and are padded."""
    pytest.importorskip("trl", reason="pip install '.[training]'")
    import peft
    import torch

    from semiology.backends.shared_prefix.loading import Loading, load_checkpoint
    from semiology.backends.shared_prefix.sampling import Sampling
    from semiology.optimization.training.trainer import _grpo
    from semiology.optimization.training.video_prompts import VideoPrompts

    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    export(ExportOptions("grpo", ward, (3,)), tmp_path / "grpo")
    options = TrainingOptions(
        "grpo", tmp_path / "grpo", str(sees.CHECKPOINT), tmp_path / "out", generations=2, **SHOWN
    )
    limits = {"min_pixels": sees.MIN_PIXELS, "max_pixels": sees.MAX_PIXELS}
    checkpoint = load_checkpoint(Loading(str(sees.CHECKPOINT), "cpu", dtype="float32", **limits))
    prompts = VideoPrompts(checkpoint, Sampling(sees.FPS, max_frames=60, **limits))
    first, *others = read_samples(options)
    found = [first, next(each for each in others if each["feature"] != first["feature"])]
    lora = peft.LoraConfig(r=2, target_modules=r".*language_model.*q_proj", task_type="CAUSAL_LM")
    trainer = _grpo(options, prompts, lora, found)
    said = checkpoint.tokenizer.encode("left", add_special_tokens=False)
    alone = []
    for sample in found:
        ids, media = prompts.prompt(sample["prompt"])
        batch = prompts.batch([[*ids, *said]], [media], left=False)
        with torch.no_grad():
            logits = checkpoint.model(**batch).logits[0, len(ids) - 1 : -1] / trainer.temperature
        alone.append(torch.log_softmax(logits, -1).gather(1, torch.tensor(said)[:, None])[:, 0])
    rows = [[*prompts.prompt(sample["prompt"])[0], *said] for sample in found]
    assert len({len(row) for row in rows}) == 2
    trainer._known = [json.dumps(sample["prompt"]) for sample in found]

    def together(order: list[int]) -> torch.Tensor:
        trainer._rows = order
        batch = prompts.batch(rows, [prompts.prompt(sample["prompt"])[1] for sample in found], left=True)
        ids, mask = batch["input_ids"], batch["attention_mask"]
        with torch.no_grad():
            found_logps: torch.Tensor = trainer._get_per_token_logps_and_entropies(
                trainer.model, ids, mask, len(said)
            )[0]
        return found_logps

    assert torch.allclose(together([0, 1]), torch.stack(alone), atol=1e-3)


def test_what_is_no_training_data_is_a_sentence(tmp_path: Path) -> None:
    options = TrainingOptions("sft", tmp_path, "m", tmp_path / "out")
    with pytest.raises(TrainingError, match="holds no finished export"):
        read_samples(options)
    told = {
        "form": "semiology-training-manifest-1",
        "recording_set": "s",
        "fold_left_out": None,
        "patients": [],
        "films": [],
    }
    (tmp_path / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    prompt = [
        {
            "role": "user",
            "content": [{"type": "video", "video": "clips/a.mp4"}, {"type": "text", "text": "?"}],
        }
    ]
    (tmp_path / "trl.jsonl").write_text(json.dumps({"prompt": prompt}) + "\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="was exported for rewards and holds no answers"):
        read_samples(options)
    (tmp_path / "trl.jsonl").write_text('{"prompt": []}\n', encoding="utf-8")
    with pytest.raises(TrainingError, match=r"trl.jsonl:1: is no sample"):
        read_samples(options)


@pytest.mark.parametrize(
    ("patients", "films", "said"),
    [
        (["007", "7"], ["a", "b"], "1 patient written like another: are they one person"),
        (["P_1", "p-01"], ["a", "b"], "1 patient written like another"),
        (["P1", "P2"], ["a", "a"], "1 film of two patients"),
        (["P1", "P2"], ["a", "b"], None),
    ],
)
def test_samples_of_patients_who_may_be_one_are_refused(
    tmp_path: Path, patients: list[str], films: list[str], said: str | None
) -> None:
    told = {
        "form": "semiology-training-manifest-1", "recording_set": "s", "fold_left_out": None,
        "patients": [patient_mark(each) for each in patients],
        "forms": {patient_mark(each): form_mark(each) for each in patients},
        "films": [{"patient": who, "sha256": film} for who, film in zip(patients, films, strict=True)],
    }  # fmt: skip
    (tmp_path / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    (tmp_path / "trl.jsonl").write_text("", encoding="utf-8")
    options = TrainingOptions("sft", tmp_path, "m", tmp_path / "out")
    assert read_samples(replace(options, distinct=True)) == []
    if said is None:
        assert read_samples(options) == []
        return
    with pytest.raises(TrainingError, match=f"{said}.*--distinct-patients"):
        read_samples(options)


def test_shuffled_answers_stay_within_task_and_feature() -> None:
    found = [
        {"task": 3, "feature": feature, "prompt": number, "solution": str(number), "completion": [number]}
        for number, feature in enumerate(["a"] * 30 + ["b"] * 30)
    ]
    mixed = shuffled_answers(found, 1)
    assert [each["prompt"] for each in mixed] == list(range(60))
    for part in (slice(0, 30), slice(30, 60)):
        own, others = found[part], mixed[part]
        assert sorted(each["solution"] for each in own) == sorted(each["solution"] for each in others)
        assert sum(a["solution"] == b["solution"] for a, b in zip(own, others, strict=True)) < 8
    assert all(each["completion"] == [int(each["solution"])] for each in mixed)
    assert mixed == shuffled_answers(found, 1)
    assert SOUND[3]("left", "a", {"answer": "left"}) == 1
