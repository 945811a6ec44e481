"""Training on exported samples: LoRA by answers (SFT) or by rewards (GRPO), with TRL, peft and transformers.

A video is read, resized and processed by the very code that shows it to the model class ``semiology_hf`` in a run, so
that what is trained is what is asked. TRL 1.16 takes pictures, no videos: the batches are made here, and
`video_grpo` puts the videos back where TRL computes what a completion is worth.

Settings are those of arXiv 2605.21852, Appendix E (LoRA of rank 8 and alpha 32 on all linear layers of the language
model, vision tower and aligner frozen; SFT 5e-5, GRPO 1e-6 with 6 generations at temperature 0.8, top-p 0.95, top-k 50)
unless told otherwise. The trained weights are merged and saved as safetensors beside the processor and the manifest of
the training patients, which `semiology run` heeds.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semiology.data.cache import private_folder, write_whole
from semiology.data.owned_folder import owned_folder
from semiology.data.protection.trained_on import MANIFEST, read_manifest
from semiology.data.same_patient import FLAG
from semiology.optimization.training.export import TRL
from semiology.optimization.training.video_prompts import VideoPrompts
from semiology.render.text import json_text

Method = Literal["sft", "grpo"]
LORA_RANK, LORA_ALPHA = 8, 32
LEARNING_RATES: Mapping[Method, float] = {"sft": 5e-5, "grpo": 1e-6}
GENERATIONS, TEMPERATURE, TOP_P, TOP_K = 6, 0.8, 0.95, 50
LANGUAGE_LAYERS = r".*language_model.*\.(q|k|v|o|gate|up|down)_proj"
"""The linear layers of the language model; the vision tower and the aligner stay as they are."""
IGNORED = -100
RECORD = "training.json"


class TrainingError(ValueError):
    """Training cannot start; the message says what to change."""


@dataclass(frozen=True)
class TrainingOptions:
    """How a model is trained.

    Attributes:
        method: ``sft`` or ``grpo``. samples: folder of `semiology.optimization.training.export`.
        checkpoint: folder or name of the model. out: folder for the trained one.
        epochs, steps: passes over the samples, or steps, whichever is given (steps win).
        learning_rate: None for the published one. batch: samples a step.
        reward: ``sound`` or ``published`` (GRPO). generations, new_tokens: replies to a question, and their length.
        fps, max_frames, min_pixels, max_pixels: how videos are shown, as of a run.
        device, dtype: where and in which type. seed: of everything that is drawn.
        distinct: patients who look alike are different people.
        shuffled: give every sample the answer of another of its task and feature: the control, which must not learn.
    """

    method: Method
    samples: Path
    checkpoint: str
    out: Path
    epochs: float = 3.0
    steps: int | None = None
    learning_rate: float | None = None
    batch: int = 1
    reward: str = "sound"
    generations: int = GENERATIONS
    new_tokens: int = 1024
    fps: float = 1.0
    max_frames: int = 60
    min_pixels: int | None = None
    max_pixels: int | None = None
    device: str = "auto"
    dtype: str = "auto"
    seed: int = 0
    shuffled: bool = False
    distinct: bool = False


def read_samples(options: TrainingOptions) -> list[dict[str, Any]]:
    """Return the exported samples, videos with their whole paths.

    Raises:
        TrainingError: the folder holds no finished export, one without what the method needs, or patients who may be
            one person.
    """
    manifest = options.samples / MANIFEST
    if not manifest.is_file():
        raise TrainingError(
            f"{options.samples}: holds no finished export → `semiology export sft --out DIR` writes one"
        )
    _refuse_doubtful_patients(options)
    lines = (options.samples / TRL).read_text(encoding="utf-8").splitlines()
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            sample = json.loads(line)
            part = sample["prompt"][0]["content"][0]
            part["video"] = str((options.samples / part["video"]).resolve())
            if options.method == "sft" and "completion" not in sample:
                raise TrainingError(
                    f"{options.samples}: was exported for rewards and holds no answers → `semiology export sft`"
                )
        except (json.JSONDecodeError, KeyError, IndexError, TypeError) as error:
            raise TrainingError(f"{TRL}:{number}: is no sample ({error!r}) → export again") from None
        found.append(sample)
    return shuffled_answers(found, options.seed) if options.shuffled else found


def _refuse_doubtful_patients(options: TrainingOptions) -> None:
    """Refuse samples while two of their patients may be one, as whatever divides patients does.

    Raises:
        TrainingError: they may.
    """
    doubts = read_manifest(options.samples / MANIFEST).doubts
    if doubts and not options.distinct:
        raise TrainingError(
            f"{options.samples}: {'; '.join(doubts)} → give one person one id and export again; different people need "
            f"ids that differ by more, or {FLAG}"
        )


def shuffled_answers(found: Sequence[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Return samples each with the answer and solution of a sample of the same task and feature, drawn by a seed."""
    groups: dict[tuple[Any, Any], list[int]] = {}
    for number, sample in enumerate(found):
        groups.setdefault((sample["task"], sample["feature"]), []).append(number)
    drawn = random.Random(seed)  # noqa: S311
    mixed = [dict(sample) for sample in found]
    for numbers in groups.values():
        others = drawn.sample(numbers, len(numbers))
        for own, other in zip(numbers, others, strict=True):
            for key in ("completion", "solution"):
                if key in found[other]:
                    mixed[own][key] = found[other][key]
    return mixed


def train(options: TrainingOptions, *, log: Callable[[Mapping[str, Any]], None] = lambda told: None) -> Path:
    """Train a model and return the folder of the merged checkpoint; the same command goes on after a kill.

    Args:
        options: how. log: told what the trainer logs.

    Raises:
        TrainingError: TRL or peft is missing, or the samples cannot be used.
        CheckpointError: the model cannot be loaded.
        FolderError: the folder cannot be written, or another command writes there.
    """
    try:
        import peft  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise TrainingError(
            f"{error.name} is not installed → pip install 'semiology-eval[training]'"
        ) from None
    from transformers import set_seed

    found = read_samples(options)
    set_seed(options.seed)
    with owned_folder(options.out):
        return _trained(options, found, log)


def _trained(
    options: TrainingOptions, found: list[dict[str, Any]], log: Callable[[Mapping[str, Any]], None]
) -> Path:
    import peft

    from semiology.backends.shared_prefix.loading import Loading, load_checkpoint
    from semiology.backends.shared_prefix.sampling import Sampling

    private_folder(options.out)
    checkpoint = load_checkpoint(
        Loading(
            options.checkpoint, options.device, dtype=options.dtype, min_pixels=options.min_pixels,
            max_pixels=options.max_pixels,
        )
    )  # fmt: skip
    sampling = Sampling(
        options.fps,
        max_frames=options.max_frames,
        min_pixels=options.min_pixels,
        max_pixels=options.max_pixels,
    )
    prompts = VideoPrompts(checkpoint, sampling)
    lora = peft.LoraConfig(
        r=LORA_RANK, lora_alpha=LORA_ALPHA, target_modules=LANGUAGE_LAYERS, task_type="CAUSAL_LM"
    )
    trainer = (_sft if options.method == "sft" else _grpo)(options, prompts, lora, found)
    trainer.add_callback(_logged(log))
    steps = options.out / "steps"
    started = any(steps.glob("checkpoint-*")) if steps.is_dir() else False
    trainer.train(resume_from_checkpoint=started or None)
    merged = trainer.model.merge_and_unload()
    merged.save_pretrained(options.out, safe_serialization=True)
    checkpoint.processor.save_pretrained(options.out)
    shutil.copyfile(options.samples / MANIFEST, options.out / MANIFEST)
    told = {name: str(value) for name, value in vars(options).items()}
    write_whole(options.out / RECORD, json_text({**told, "samples_used": len(found)}) + "\n")
    shutil.rmtree(steps, ignore_errors=True)
    return options.out


def _common(options: TrainingOptions) -> dict[str, Any]:
    rate = LEARNING_RATES[options.method] if options.learning_rate is None else options.learning_rate
    return {
        "output_dir": str(options.out / "steps"),
        "learning_rate": rate,
        "per_device_train_batch_size": options.batch,
        "num_train_epochs": options.epochs,
        "max_steps": options.steps or -1,
        "seed": options.seed,
        "report_to": [],
        "save_total_limit": 2,
        "save_steps": 100,
        "logging_steps": 10,
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "use_cpu": options.device == "cpu",
        "bf16": False,
        "gradient_checkpointing": False,
        "dataloader_pin_memory": False,
    }


def _sft(options: TrainingOptions, prompts: VideoPrompts, lora: Any, found: list[dict[str, Any]]) -> Any:
    """Return TRL's trainer by answers; the loss is that of the answer alone."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    end = _end_of_turn(prompts)

    def collate(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        import torch

        rows, media, starts = [], [], []
        for sample in samples:
            ids, shown = prompts.prompt(json.loads(sample["prompt"]))
            rows.append(
                [*ids, *prompts.checkpoint.tokenizer.encode(sample["answer"], add_special_tokens=False), *end]
            )
            media.append(shown)
            starts.append(len(ids))
        batch = prompts.batch(rows, media, left=False)
        labels = batch["input_ids"].clone()
        labels[batch["attention_mask"] == 0] = IGNORED
        for number, start in enumerate(starts):
            labels[number, :start] = IGNORED
        return {**batch, "labels": torch.as_tensor(labels)}

    rows = [
        {"prompt": json.dumps(each["prompt"]), "answer": each["completion"][0]["content"][0]["text"]}
        for each in found
    ]
    config = SFTConfig(**_common(options), dataset_kwargs={"skip_prepare_dataset": True}, max_length=None)
    return SFTTrainer(
        prompts.checkpoint.model, config, data_collator=collate, train_dataset=Dataset.from_list(rows),
        processing_class=prompts.checkpoint.processor, peft_config=lora,
    )  # fmt: skip


def _end_of_turn(prompts: VideoPrompts) -> list[int]:
    """Return the tokens that end the model's turn."""
    stop = prompts.checkpoint.model.generation_config.eos_token_id
    first = stop[0] if isinstance(stop, (list, tuple)) else stop
    return [prompts.checkpoint.tokenizer.eos_token_id if first is None else int(first)]


def _grpo(options: TrainingOptions, prompts: VideoPrompts, lora: Any, found: list[dict[str, Any]]) -> Any:
    """Return TRL's trainer by rewards, taught to show videos."""
    from datasets import Dataset
    from trl import GRPOConfig

    from semiology.optimization.training import rewards
    from semiology.optimization.training.video_grpo import VideoGRPOTrainer

    if options.reward not in rewards.REWARDS:
        raise TrainingError(f"reward {options.reward}: there is none → use {', '.join(rewards.REWARDS)}")
    reward = {"sound": rewards.sound_reward, "published": rewards.published_reward}[options.reward]
    config = GRPOConfig(
        **_common(options) | {"per_device_train_batch_size": options.batch * options.generations},
        num_generations=options.generations, max_completion_length=options.new_tokens,
        temperature=TEMPERATURE, top_p=TOP_P, top_k=TOP_K,
    )  # fmt: skip
    keys = ("task", "feature", "solution")
    rows = [
        {"prompt": each["prompt"][0]["content"][1]["text"], **{k: each[k] for k in keys}} for each in found
    ]
    for row, each in zip(rows, found, strict=True):
        row["messages"] = json.dumps(each["prompt"])
    return VideoGRPOTrainer(
        prompts, prompts.checkpoint.model, reward_funcs=reward, args=config,
        train_dataset=Dataset.from_list(rows), processing_class=prompts.checkpoint.processor, peft_config=lora,
    )  # fmt: skip


def _logged(log: Callable[[Mapping[str, Any]], None]) -> Any:
    from transformers import TrainerCallback

    class Told(TrainerCallback):  # type: ignore[misc]
        """Hand on what the trainer logs."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            """Hand on one entry, with the step it is about."""
            log({"step": state.global_step, "steps": state.max_steps, **(logs or {})})

    return Told()
