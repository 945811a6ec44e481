"""The lmms-eval model ``semiology_hf``: transformers video models, many questions for the price of one video.

``lmms_eval --model semiology_hf --model_args pretrained=Qwen/Qwen2.5-VL-7B-Instruct,fps=2 …`` gives the
answers of the stock class, but opens, decodes, encodes and prefills every window once for all its questions.
Arguments have the names of the stock Qwen classes where these have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import torch
from lmms_eval.api.instance import GenerationResult, Instance
from loguru import logger

from semiology.backends.checkpoint_stamp import checkpoint_stamp
from semiology.backends.generation_only import GenerationOnly, result_of
from semiology.backends.shared_prefix.decoding import DEFAULT_ANSWERS
from semiology.backends.shared_prefix.engine import SharedPrefixEngine
from semiology.backends.shared_prefix.frames import DecordReader, StreamedReader
from semiology.backends.shared_prefix.loading import Loading, load_checkpoint
from semiology.backends.shared_prefix.questions import Question, Settings
from semiology.backends.shared_prefix.resuming import DEFAULT_JOURNAL, numerics, resumed
from semiology.backends.shared_prefix.sampling import Sampling
from semiology.backends.shared_prefix.windows import Options
from semiology.settings import processes


class SemiologyHF(GenerationOnly):
    """An lmms-eval chat model for transformers checkpoints that take video.

    Args:
        pretrained: Folder or name of the checkpoint.
        device: ``auto`` (CUDA where there is one, else the CPU) or a torch device; with several processes
            each takes the GPU of its own number.
        device_map: As transformers takes it, for instance ``auto`` to spread a model over all GPUs.
        dtype: ``auto`` (as saved), ``bfloat16``, ``float16`` or ``float32``.
        attn_implementation: ``sdpa``, ``eager``, ``flash_attention_2``, …; None for transformers' choice.
        revision: Branch, tag or commit of a named checkpoint.
        trust_remote_code: Whether code that comes with the checkpoint may run.
        fps: Frames per second to show; None for ``max_num_frames`` spread evenly.
        max_num_frames: Frames without ``fps``; for Qwen3-VL also a cap with it, as in the stock class.
        max_frames: A cap on the frames with ``fps``.
        min_pixels: Least pixels of a frame.
        max_pixels: Most pixels of a frame.
        total_pixels: Most pixels of a window.
        system_prompt: System turn; None for that of the stock class, empty for none.
        sharing: ``auto``, ``packed``, ``padded``, ``sequential``, ``vision`` or ``none``.
        token_budget: Question tokens that run together; None for a quarter of the prefix.
        score: ``logprob`` replies with the likeliest first token instead of generating, and stores the
            log-probabilities; ``none`` generates.
        answers: The answers to score, separated by ``|``.
        batch_size: Questions per row of a padded batch; the other ways of sharing need no such number.
        decoder: ``stream`` reads a recording once, ahead of the model; ``decord`` as the stock classes read.
            The frames are the same.
        journal: Where answers are kept as they come, so that a run that was stopped goes on without asking
            them again: ``auto`` (beside the other derived files, ``SEMIOLOGY_CACHE``), a folder, or ``none``.
        max_batch_size: Accepted because lmms-eval always passes it; has no effect.

    Attributes:
        engine: Does the work; its ``reader`` may be replaced before the first request.
        counts: What was done so far.
        journal: As given.

    Raises:
        ValueError: An argument, the checkpoint or the device is not usable; the message says why.
    """

    is_simple = False
    instead = "score=logprob scores yes, no and NA"

    def __init__(
        self,
        pretrained: str,
        device: str | None = "auto",
        device_map: str | None = None,
        dtype: str = "auto",
        attn_implementation: str | None = None,
        revision: str = "main",
        trust_remote_code: bool = False,
        fps: float | None = None,
        max_num_frames: int = 32,
        max_frames: int | None = None,
        min_pixels: int | None = 256 * 28 * 28,
        max_pixels: int | None = 1605632,
        total_pixels: int | None = None,
        system_prompt: str | None = None,
        sharing: str = "auto",
        token_budget: int | None = None,
        score: str = "none",
        answers: str = "|".join(DEFAULT_ANSWERS),
        batch_size: int | str = 1,
        decoder: str = "stream",
        journal: str = DEFAULT_JOURNAL,
        max_batch_size: int | None = None,
    ) -> None:
        super().__init__()
        del max_batch_size
        device = self._join_processes(device or "auto")
        for name, value, known in (
            ("score", score, ("logprob", "none")),
            ("decoder", decoder, ("stream", "decord")),
        ):
            if value not in known:
                raise ValueError(f"{name}={value}: give {' or '.join(known)}")
        loading = Loading(
            str(pretrained), device, device_map or None, dtype, attn_implementation, revision,
            trust_remote_code, min_pixels, max_pixels,
        )  # fmt: skip
        sampling = Sampling(fps, max_num_frames, max_frames, min_pixels, max_pixels, total_pixels)
        rows = max(int(batch_size), Options.rows) if str(batch_size).isdigit() else Options.rows
        options = Options(
            sharing, token_budget, rows, score == "logprob",
            tuple(answers.split("|")), system_prompt,
        )  # fmt: skip
        reader = StreamedReader() if decoder == "stream" else DecordReader()
        self.engine = SharedPrefixEngine(load_checkpoint(loading), sampling, options, reader)
        self.journal = str(journal)
        self._setup = {
            "sampling": asdict(sampling),
            "options": asdict(options),
            "attention": attn_implementation,
        }
        self.counts = self.engine.counts

    def _join_processes(self, device: str) -> str:
        """Take part in a run of several processes and return the device of this one."""
        if processes() <= 1:
            return device
        from accelerate import Accelerator  # type: ignore[import-untyped]

        self.accelerator = Accelerator(cpu=not torch.cuda.is_available() or device == "cpu")
        self._rank, self._world_size = self.accelerator.process_index, self.accelerator.num_processes
        chosen = str(self.accelerator.device)
        return chosen if device in ("auto", "cuda") else device

    @property
    def config(self) -> Any:
        """The model's configuration."""
        return self.engine.checkpoint.model.config

    @property
    def model(self) -> Any:
        """The transformers model."""
        return self.engine.checkpoint.model

    @property
    def tokenizer(self) -> Any:
        """The tokenizer."""
        return self.engine.checkpoint.tokenizer

    @property
    def device(self) -> torch.device:
        """Where the inputs go."""
        return self.engine.checkpoint.device

    def generate_until(self, requests: Sequence[Instance]) -> list[GenerationResult]:
        """Answer all requests and return the replies in their order."""
        questions = [
            Question(number, partial(self.messages_of, request), Settings.read(request.args[2]), request)
            for number, request in enumerate(requests)
        ]
        checkpoint = self.engine.checkpoint
        run = resumed(
            self.journal,
            lambda cache: checkpoint_stamp(checkpoint.name, cache, revision=checkpoint.revision),
            {**self._setup, **numerics(checkpoint)},
            questions=len(questions),
            rank=self.rank,
        )
        with run as resuming:
            answers = self.engine.answer(questions, resuming.on_answers, resuming.already, resuming.plan)
            logger.info(resuming.summary())
        logger.info(f"semiology_hf, sharing {self.engine.sharing}: {self.counts.summary()}")
        return [result_of(answer) for answer in answers]

    def clean(self) -> None:
        """Let the model go, so that its memory is free for what comes after."""
        del self.engine
        super().clean()
