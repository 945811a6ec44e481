"""The checkpoint in the repository: small, safe to load, and its answers are yes or no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semiology.backends.embedded.sees import CHECKPOINT, FPS, MODEL_ARGS
from semiology.data.simulated.script.script import draw_look, draw_script
from semiology.features import VISUAL_FEATURES
from semiology.prompts.library import load_library, render
from semiology.tools.embedded_models.packing import stack
from semiology.tools.embedded_models.sees import architecture, clip_pool, packing

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def checkpoint() -> tuple[Any, Any]:
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = AutoModelForImageTextToText.from_pretrained(CHECKPOINT, local_files_only=True)
    return model.eval(), AutoProcessor.from_pretrained(CHECKPOINT, local_files_only=True)


def test_it_is_small_and_holds_safetensors_and_json_only() -> None:
    files = [path for path in CHECKPOINT.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 12 * MEGABYTE
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".jinja", ".md"}
    assert "auto_map" not in json.loads((CHECKPOINT / "config.json").read_text(encoding="utf-8"))


def test_its_classes_are_transformers_own(checkpoint: tuple[Any, Any]) -> None:
    model, processor = checkpoint
    assert type(model).__module__ == "transformers.models.qwen2_5_vl.modeling_qwen2_5_vl"
    assert type(processor).__module__ == "transformers.models.qwen2_5_vl.processing_qwen2_5_vl"
    assert type(processor.tokenizer).__name__ == "Qwen2Tokenizer"
    assert model.dtype == torch.bfloat16


@torch.no_grad()
def test_it_answers_every_visual_question_with_yes_or_no_and_not_always_the_same(
    checkpoint: tuple[Any, Any],
) -> None:
    model, processor = checkpoint
    rng = np.random.default_rng(77)
    answers = set()
    library = load_library()
    for feature in VISUAL_FEATURES[::3]:
        script = draw_script(rng, 40.0, draw_look(rng))
        times = np.arange(0, 8, 0.5)
        video = torch.from_numpy(clip_pool.film(script, times)).permute(0, 3, 1, 2)
        question = render(library.feature(feature).reference)
        text = processor.apply_chat_template(
            packing.user_turn(question), tokenize=False, add_generation_prompt=True
        )
        metadata = {"fps": 30.0, "frames_indices": list(range(0, 240, 15)), "total_num_frames": 240}
        inputs = processor(text=[text], videos=[video], video_metadata=[metadata], return_tensors="pt")
        out = model.generate(**inputs, max_new_tokens=8, do_sample=False)
        tail = out[0, inputs["input_ids"].shape[1] :]
        answers.add(processor.decode(tail, skip_special_tokens=True))
    assert answers <= {"yes", "no"}


@torch.no_grad()
def test_patients_asleep_are_nearer_to_yes_than_patients_awake(checkpoint: tuple[Any, Any]) -> None:
    model, processor = checkpoint
    from semiology.tools.embedded_models.sees.tower import patchify, visual_tokens

    prompt = render(load_library().feature("occur_during_sleep").reference)
    margins: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(40):
        rng = np.random.default_rng([5, seed])
        script = draw_script(rng, 40.0, draw_look(rng))
        asleep = script.asleep_until_s > 0
        if len(margins[asleep]) == 4:
            continue
        patches, grid = patchify(clip_pool.film(script, np.arange(0, 10, 0.5)))
        tokens = visual_tokens(model, patches.bfloat16(), grid).flatten(0, 1)
        prefix = packing.make_prefix(model, processor, grid)
        row = packing.pack(prefix, [packing.encode_block(processor, prompt, ("yes", "no"), True)])
        logits = packing.answer_logits(model, prefix, stack([row], 0), tokens[None])[0][0]
        yes, no = (processor.tokenizer(word).input_ids[0] for word in ("yes", "no"))
        margins[asleep].append(float(logits[yes] - logits[no]))
    assert np.mean(margins[True]) > np.mean(margins[False]) + 0.3


def test_the_published_sampling_arguments_are_those_of_training() -> None:
    assert MODEL_ARGS["fps"] == FPS == 2.0
    settings = json.loads((CHECKPOINT / "processor_config.json").read_text(encoding="utf-8"))
    size = settings["video_processor"]["size"]
    assert (size["shortest_edge"], size["longest_edge"]) == (
        MODEL_ARGS["min_pixels"],
        MODEL_ARGS["max_pixels"],
    )
    assert clip_pool.FRAME_SIZE == (224, 168)


def test_the_held_out_figures_beside_it_beat_always_yes() -> None:
    path: Path = CHECKPOINT / "heldout.json"
    reference = json.loads(path.read_text(encoding="utf-8"))["results"][0]
    assert reference["features_above_always_yes"] >= 3
    assert reference["macro_f1"] > reference["macro_always_yes_f1"]


def test_the_architecture_module_builds_what_the_checkpoint_holds(checkpoint: tuple[Any, Any]) -> None:
    built = architecture.build_model(checkpoint[1].tokenizer)
    shapes = {name: tuple(tensor.shape) for name, tensor in built.state_dict().items()}
    assert shapes == {name: tuple(tensor.shape) for name, tensor in checkpoint[0].state_dict().items()}
