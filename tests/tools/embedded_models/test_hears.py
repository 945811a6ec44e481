"""The tiny listener is a genuine Qwen2-Audio: its sound, questions, training and shipped checkpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semiology.backends.embedded.hears import CHECKPOINT
from semiology.data.simulated.script.events import Event
from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.data.simulated.sound.sound import soundtrack
from semiology.features import AUDIO_FEATURES
from semiology.prompts.library import load_library, render
from semiology.tasks.answers.parse import parse_answer
from semiology.tools.embedded_models.hears import architecture, evaluate, sound_pool, stages
from semiology.tools.embedded_models.hears.architecture import SPECIAL_TOKENS, train_tokenizer
from semiology.tools.embedded_models.hears.questions import answer, split_wordings, training_texts
from semiology.tools.embedded_models.material import patient_scripts
from semiology.tools.embedded_models.training import Schedule, save_checkpoint

SILENT = lambda _: None  # noqa: E731
RATE = 16_000


@pytest.fixture(scope="module")
def wordings() -> Any:
    return split_wordings(load_library())


@pytest.fixture(scope="module")
def tiny(wordings: Any) -> tuple[Any, Any]:
    tokenizer = train_tokenizer(training_texts(wordings))
    return architecture.build_model(tokenizer, seed=3).eval(), architecture.build_processor(tokenizer)


@pytest.fixture(scope="module")
def pool() -> sound_pool.SoundPool:
    return sound_pool.build_pool("train", range(2), 1, 2, 0.0, SILENT)


def script_with(*events: Event) -> Script:
    rng = np.random.default_rng(0)
    return replace(draw_script(rng, 60.0, draw_look(rng)), events=events)


ASKED = Event("address", 10.0, 12.0)
REPLY = Event("verbal_responsiveness", 12.5, 14.0)


@pytest.mark.parametrize(
    ("events", "window", "truth"),
    [
        ((ASKED, REPLY), (0, 30), "yes"),
        ((ASKED,), (0, 30), "no"),
        ((), (0, 30), "na"),
        ((Event("talk", 5, 7.5),), (0, 30), "na"),
        ((ASKED, REPLY), (20, 50), "na"),
        ((ASKED, REPLY), (0, 12.3), "no"),
        ((ASKED, REPLY), (0, 13), ""),
        ((ASKED, REPLY), (12.2, 42), ""),
        ((ASKED,), (11.5, 41.5), ""),
    ],
)
def test_a_window_counts_an_answer_only_with_its_question(
    events: tuple[Event, ...], window: tuple[float, float], truth: str
) -> None:
    assert sound_pool.window_truth(script_with(*events), *window)[0] == truth


@pytest.mark.parametrize(
    ("window", "truth"), [((0, 30), "yes"), ((0, 21), ""), ((0, 20), "no"), ((40, 60), "no")]
)
def test_a_window_that_only_grazes_a_vocalization_is_not_asked_about(
    window: tuple[float, float], truth: str
) -> None:
    groan = Event("ictal_vocalization", 20, 30, frequency_hz=0.5)
    assert sound_pool.window_truth(script_with(groan), *window)[1] == truth


def test_negated_wordings_swap_yes_and_no_but_not_na(wordings: Any) -> None:
    for feature in AUDIO_FEATURES:
        reference, negated = wordings[feature].seen[0], wordings[feature].seen[-1]
        assert (reference.id, negated.id) == ("s3", "negated")
        assert [answer(reference, t) for t in ("yes", "no", "na")] == ["yes", "no", "NA"]
        assert [answer(negated, t) for t in ("yes", "no", "na")] == ["no", "yes", "NA"]


def test_two_authored_wordings_per_feature_are_never_trained_on(wordings: Any) -> None:
    for feature in AUDIO_FEATURES:
        assert len(wordings[feature].unseen) == 2
        assert {p.provenance for p in wordings[feature].unseen} == {"authored"}
        assert not {p.id for p in wordings[feature].unseen} & {p.id for p in wordings[feature].seen}
    asked = {render(p) for f in wordings.values() for p in f.seen + f.extra}
    assert set(training_texts(wordings)) <= asked
    assert not asked & {render(p) for f in wordings.values() for p in f.unseen}


def test_paraphrases_ask_for_the_same_answers_as_the_library(wordings: Any) -> None:
    for feature in AUDIO_FEATURES:
        assert {p.polarity for p in wordings[feature].extra} == {"positive", "negative"}
        for prompt in wordings[feature].extra:
            assert prompt.answer == wordings[feature].seen[0].answer
            assert prompt.feature == feature
            assert ("'NA'" in render(prompt)) == (feature == "verbal_responsiveness")


def test_answers_and_special_tokens_are_single_tokens(tiny: tuple[Any, Any]) -> None:
    for token in ("yes", "no", "NA", *SPECIAL_TOKENS):
        assert len(tiny[1].tokenizer(token).input_ids) == 1


def test_training_patients_are_chosen_for_their_answers() -> None:
    chosen = sound_pool.training_patients(12)
    assert len(set(chosen)) == 12
    for patient in set(range(max(chosen))) - set(chosen):
        (script,) = patient_scripts("train", patient, 1)
        assert script.present("verbal_responsiveness") != "yes"


def test_sound_survives_compression(tmp_path: Path) -> None:
    (script,) = patient_scripts("validation", 3, 1)
    sound = soundtrack(script)
    back = sound_pool.through_aac(sound, tmp_path)
    assert back.shape == sound.shape
    assert np.corrcoef(back, sound)[0, 1] > 0.9


@torch.no_grad()
@pytest.mark.parametrize("seconds", [30.0, 12.3])
def test_packed_questions_have_the_logits_of_the_stock_forward_pass(
    tiny: tuple[Any, Any], wordings: Any, seconds: float
) -> None:
    model, processor = tiny
    sound = np.random.default_rng(1).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)
    prompts = [wordings[feature].seen[0] for feature in AUDIO_FEATURES]
    clerk = stages.Clerk(processor)
    features, frames = sound_pool.spectrogram(processor.feature_extractor, sound)
    heard = stages.hear(model, torch.from_numpy(features).float()[None], torch.tensor([frames]))
    heard = heard[0, : architecture.audio_token_count(frames)]
    rows = clerk.rows([clerk.prefix(frames)], [[clerk.block(prompt, "yes") for prompt in prompts]])
    packed = stages.reply_logits(model, rows, [heard])[::2]
    for prompt, logits in zip(prompts, packed, strict=True):
        text = stages.chat_prompt(processor, render(prompt))
        inputs = processor(text=[text], audio=[sound], sampling_rate=RATE, return_tensors="pt")
        torch.testing.assert_close(model(**inputs).logits[0, -1], logits, atol=5e-3, rtol=5e-3)


def test_a_saved_checkpoint_loads_through_the_auto_classes(tiny: tuple[Any, Any], tmp_path: Path) -> None:
    from transformers import AutoModelForMultimodalLM, AutoProcessor

    save_checkpoint(*tiny, tmp_path)
    _, processor = architecture.load_checkpoint(tmp_path)
    model = AutoModelForMultimodalLM.from_pretrained(tmp_path)
    assert type(model).__name__ == "Qwen2AudioForConditionalGeneration"
    assert type(AutoProcessor.from_pretrained(tmp_path)).__name__ == "Qwen2AudioProcessor"
    assert processor.feature_extractor.hop_length == architecture.HOP
    for name, tensor in tiny[0].state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor.to(torch.bfloat16)), name


def test_the_same_seed_trains_the_same_weights(wordings: Any, pool: sound_pool.SoundPool) -> None:
    tokenizer = train_tokenizer(training_texts(wordings))
    runs = []
    for _ in range(2):
        model, processor = architecture.build_model(tokenizer, 5), architecture.build_processor(tokenizer)
        losses = stages.train_tower(model, pool, Schedule(2, 2, 1e-3, 5), SILENT)
        tokens = stages.hear_all(model, pool)
        stage = stages.AnswerStage(model, processor, wordings, pool, tokens)
        losses += stage.train(Schedule(2, 2, 1e-3, 5), 1, SILENT)
        runs.append((losses, model.state_dict()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(tensor, runs[1][1][name]) for name, tensor in runs[0][1].items())


def test_pools_are_read_back_as_written(pool: sound_pool.SoundPool, tmp_path: Path) -> None:
    pool.save(tmp_path / "pool.npz")
    again = sound_pool.SoundPool.load(tmp_path / "pool.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["pool.npz"]
    for name, values in vars(pool).items():
        np.testing.assert_array_equal(getattr(again, name), values)


def test_the_answer_frame_swaps_replies_to_negated_wordings(
    wordings: Any, pool: sound_pool.SoundPool
) -> None:
    negated = wordings["ictal_vocalization"].seen[-1]
    frame = evaluate.answer_frame(pool, negated, ["yes", "no", "perhaps", "No."])
    assert frame["answer"].tolist() == ["no", "yes", "unparsed", "yes"]
    assert frame["segment"].tolist() == [0, 1, 0, 1]


def test_the_shipped_checkpoint_is_small_and_holds_no_code() -> None:
    files = [path for path in CHECKPOINT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6_000_000
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".jinja", ".txt", ".md"}
    config = json.loads((CHECKPOINT / "config.json").read_text())
    assert config["architectures"] == ["Qwen2AudioForConditionalGeneration"]
    assert "auto_map" not in config


def test_the_shipped_model_answers_about_a_short_clip_in_the_words_asked_for(wordings: Any) -> None:
    model, processor = architecture.load_checkpoint()
    (script,) = patient_scripts("validation", 3, 1)
    sound = soundtrack(script)[: 12 * RATE]
    for feature in AUDIO_FEATURES:
        text = stages.chat_prompt(processor, render(wordings[feature].seen[0]))
        inputs = processor(text=[text], audio=[sound], sampling_rate=RATE, return_tensors="pt")
        out = model.generate(**inputs, max_new_tokens=8)
        reply = processor.batch_decode(out[:, inputs.input_ids.shape[1] :], skip_special_tokens=True)[0]
        assert parse_answer(reply) != "unparsed", reply


def test_lmms_evals_class_runs_on_the_cpu_and_answers_as_generate_does(wordings: Any) -> None:
    from lmms_eval.api.instance import Instance

    from semiology.backends.qwen2_audio_cpu import Qwen2AudioOnCpu

    model = Qwen2AudioOnCpu(str(CHECKPOINT), device="cpu")
    sound = soundtrack(patient_scripts("validation", 3, 1)[0])[: 30 * RATE]
    model.task_dict = {"task": {"test": [{"array": sound, "sampling_rate": RATE}]}}
    questions = [render(wordings[feature].seen[0]) for feature in AUDIO_FEATURES]
    requests = [
        Instance(
            request_type="generate_until",
            arguments=(question, {"max_new_tokens": 16, "until": []}, lambda doc: [doc], 0, "task", "test"),
            idx=0,
            metadata={"task": "task", "doc_id": 0, "repeats": 1},
        )
        for question in questions
    ]
    own, processor = architecture.load_checkpoint()
    expected = []
    for question in questions:
        text = stages.chat_prompt(processor, question)
        inputs = processor(text=[text], audio=[sound], sampling_rate=RATE, return_tensors="pt")
        out = own.generate(**inputs, max_new_tokens=16)
        expected += processor.batch_decode(out[:, inputs.input_ids.shape[1] :], skip_special_tokens=True)
    assert model.device.type == "cpu"
    assert model.generate_until(requests) == expected


def test_a_device_map_that_contradicts_the_device_is_refused() -> None:
    from semiology.backends.qwen2_audio_cpu import Qwen2AudioOnCpu

    with pytest.raises(ValueError, match="give only the device"):
        Qwen2AudioOnCpu("nowhere", device="cpu", device_map="cuda")


def test_sound_at_another_rate_keeps_its_pitch_and_no_false_librosa_is_left_behind() -> None:
    import sys

    from semiology.backends.qwen2_audio_cpu import _resample

    clock = np.arange(48_000) / 48_000
    tone = np.sin(2 * np.pi * 440 * clock).astype(np.float32)
    reduced = _resample(tone, 48_000, RATE)
    assert reduced.shape == (RATE,)
    assert np.argmax(np.abs(np.fft.rfft(reduced))) == 440
    assert _resample(tone, RATE, RATE) is tone
    assert getattr(sys.modules.get("librosa"), "resample", None) is not _resample


@pytest.mark.parametrize(("groans", "expected"), [(True, "yes"), (False, "no")])
def test_the_shipped_model_listens(wordings: Any, tmp_path: Path, groans: bool, expected: str) -> None:
    groan = Event("ictal_vocalization", 6.0, 18.0, frequency_hz=0.5, seed=1)
    sound = sound_pool.through_aac(soundtrack(script_with(*[groan] * groans))[: 30 * RATE], tmp_path)
    model, processor = architecture.load_checkpoint()
    text = stages.chat_prompt(processor, render(wordings["ictal_vocalization"].seen[0]))
    inputs = processor(text=[text], audio=[sound], sampling_rate=RATE, return_tensors="pt")
    out = model.generate(**inputs, max_new_tokens=8)
    assert processor.batch_decode(out[:, inputs.input_ids.shape[1] :], skip_special_tokens=True) == [expected]


def test_the_system_turn_can_be_left_out() -> None:
    from semiology.backends.qwen2_audio_cpu import Qwen2AudioOnCpu

    model = Qwen2AudioOnCpu(str(CHECKPOINT), add_system_prompt=False)
    text = stages.chat_prompt(model.processor, "Why?")
    assert text.startswith("<|im_start|>user\nAudio 1: <|audio_bos|>")
