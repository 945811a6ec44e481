"""The lmms-eval model ``semiology_openai``: a model on an OpenAI-compatible server, every window encoded once.

``lmms_eval --model semiology_openai --model_args base_url=http://127.0.0.1:8000/v1,fps=2 …`` asks vLLM, SGLang,
LMDeploy, llama.cpp or Ollama. It shows the frames that `semiology_hf` shows, sends all questions about a window close
together behind the same media, and goes on after a stop without asking anything again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from lmms_eval.api.instance import GenerationResult, Instance
from loguru import logger

from semiology.backends.checkpoint_stamp import checkpoint_stamp
from semiology.backends.generation_only import GenerationOnly, result_of
from semiology.backends.served.cache_hits import CacheHits
from semiology.backends.served.engine import ServedEngine
from semiology.backends.served.frame_rules import rules_for
from semiology.backends.served.media_form import MEDIA
from semiology.backends.served.pictures import ENCODINGS
from semiology.backends.served.requests import ServedOptions
from semiology.backends.served.server import Server
from semiology.backends.shared_prefix.decoding import DEFAULT_ANSWERS
from semiology.backends.shared_prefix.frames import DecordReader, StreamedReader
from semiology.backends.shared_prefix.questions import Answer, Question, Settings
from semiology.backends.shared_prefix.resuming import DEFAULT_JOURNAL, resumed
from semiology.backends.shared_prefix.sampling import Sampling
from semiology.privacy.remote_models import ADDRESS_VARIABLES, check_address
from semiology.settings import WINDOW

NAME = "semiology_openai"


class SemiologyOpenAI(GenerationOnly):
    """An lmms-eval chat model for servers with OpenAI's chat completions.

    Args:
        base_url: Address of the server, such as ``http://127.0.0.1:8000/v1``; else that of the variables
            ``OPENAI_API_BASE`` and ``OPENAI_BASE_URL``.
        model: Name under which the server has the model; may be left out where it has only one.
        model_version: As ``model``, for those who know lmms-eval's class.
        api_key: For servers that want one; better given in the variable ``OPENAI_API_KEY``, since arguments are
            written into result files.
        pretrained: Checkpoint that is served, folder or hub name, by which frames are picked; else what the server
            tells of it.
        media: ``auto`` tries once whether the server takes a window as video, and sends pictures otherwise;
            ``video``, ``images``.
        encoding: ``png`` (without loss), ``jpeg`` (quality 95, colours at full resolution, several times smaller), or
            ``auto``: ``png`` where the server keeps a window, so that it is sent once, else ``jpeg``.
        resize: Whether the frames are brought to the size in which Qwen models read them before they are sent.
        fps: Frames per second to show; None for ``max_num_frames`` spread evenly.
        max_num_frames: Frames without ``fps``; for Qwen3-VL also a cap with it, as in the stock class.
        max_frames: A cap on the frames with ``fps``.
        min_pixels: Least pixels of a frame.
        max_pixels: Most pixels of a frame.
        total_pixels: Most pixels of a window.
        system_prompt: System turn; None for that of the stock class, empty for none.
        thinking: True or False is handed to the chat template as ``enable_thinking``; None leaves it alone.
        score: ``logprob`` replies with the likeliest first token instead of generating, and stores the
            log-probabilities that the server tells; ``none`` generates.
        answers: The answers to score, separated by ``|``.
        num_concurrent: Questions under way at once.
        timeout: Longest wait for one reply, s.
        max_retries: How often a request is sent again after 429, 5xx, a time-out or a lost connection.
        patience: How long to wait after these for a server that went away, s.
        decoder: ``stream`` or ``decord``; the frames are the same.
        journal: As in ``semiology_hf``: ``auto``, a folder, or ``none``.
        batch_size: Accepted because lmms-eval always passes it; has no effect.
        max_batch_size: As ``batch_size``.
        device: As ``batch_size``.

    Attributes:
        client: Of the ``openai`` library.
        counts: What was done so far.

    Raises:
        ValueError: An argument is not usable, no server answers, or its address is not this machine's.
    """

    is_simple = False
    instead = "score=logprob scores yes, no and NA"

    def __init__(
        self,
        base_url: str = "",
        model: str = "",
        model_version: str = "",
        api_key: str = "",
        pretrained: str = "",
        media: str = "auto",
        encoding: str = "auto",
        resize: bool = True,
        fps: float | None = None,
        max_num_frames: int = 32,
        max_frames: int | None = None,
        min_pixels: int | None = 256 * 28 * 28,
        max_pixels: int | None = 1605632,
        total_pixels: int | None = None,
        system_prompt: str | None = None,
        thinking: bool | None = None,
        score: str = "none",
        answers: str = "|".join(DEFAULT_ANSWERS),
        num_concurrent: int = 16,
        timeout: float = 600.0,
        max_retries: int = 4,
        patience: float = 300.0,
        decoder: str = "stream",
        journal: str = DEFAULT_JOURNAL,
        batch_size: int | str = 1,
        max_batch_size: int | None = None,
        device: str | None = None,
    ) -> None:
        super().__init__()
        del batch_size, max_batch_size, device
        for name, value, known in (
            ("media", media, MEDIA),
            ("encoding", encoding, ENCODINGS),
            ("score", score, ("logprob", "none")),
            ("decoder", decoder, ("stream", "decord")),
        ):
            if value not in known:
                raise ValueError(f"{name}={value}: give {' or '.join(known)}")
        if int(num_concurrent) < 1:
            raise ValueError(f"num_concurrent={num_concurrent}: give at least 1")
        address = str(base_url or next(filter(None, map(os.environ.get, ADDRESS_VARIABLES)), ""))
        if not address:
            raise ValueError(f"{NAME} needs base_url=…, such as http://127.0.0.1:8000/v1")
        check_address(NAME, {"base_url": address})
        server = Server(
            address,
            api_key=str(api_key or os.environ.get("OPENAI_API_KEY") or "none"),
            timeout_s=float(timeout),
            retries=int(max_retries),
            patience_s=float(patience),
        )
        self.client = server.client
        self.served = server.describe(str(model or model_version))
        rules = rules_for(str(pretrained), self.served.root, self.served.model, resize=bool(resize))
        logger.info(f"{self.served.model} on {self.served.engine or 'an unnamed engine'}: {rules}")
        told = re.sub(r"[-_]", "", f"{self.served.root} {self.served.model}".lower())
        if "qwen3" in told and WINDOW.text() != "qwen3":
            logger.warning(
                f"{self.served.model} is a Qwen3 model, whose published window is 60 s; it is asked about windows of "
                f"30 s → give model= its name, or set {WINDOW}=qwen3"
            )
        sampling = Sampling(fps, max_num_frames, max_frames, min_pixels, max_pixels, total_pixels)
        options = ServedOptions(
            media, encoding, int(num_concurrent), score == "logprob",
            tuple(str(answers).split("|")), system_prompt, thinking,
        )  # fmt: skip
        reader = StreamedReader() if decoder == "stream" else DecordReader()
        self.engine = ServedEngine(server, self.served, rules, sampling, options, reader)
        self.counts = self.engine.counts
        self.journal = str(journal)
        self._setup = {
            "sampling": asdict(sampling),
            "score": [options.score, list(options.answers)],
            "frames": [rules.family.name, rules.patch_size],
            "engine": self.served.engine,
        }

    def generate_until(self, requests: Sequence[Instance]) -> list[GenerationResult]:
        """Answer all requests and return the replies in their order."""
        questions = [
            Question(number, partial(self.messages_of, request), Settings.read(request.args[2]), request)
            for number, request in enumerate(requests)
        ]
        hits = CacheHits(lambda: self.engine.server.text("metrics"))
        run = resumed(self.journal, self._stamp, self._setup, questions=len(questions), rank=self.rank)
        with run as resuming:

            def on_answers(answered: list[tuple[Question, Answer]]) -> None:
                resuming.remark(hits.words())
                resuming.on_answers(answered)

            answers = self.engine.answer(questions, on_answers, resuming.already, resuming.plan)
            logger.info(resuming.summary())
        found = hits.words(at_once=True)
        sent = f"; {self.engine.server.bytes_sent / 1e6:.1f} MB sent"
        logger.info(f"{NAME}: {self.counts.summary()}{sent}{f'; {found}' if found else ''}")
        return [result_of(answer) for answer in answers]

    def _stamp(self, cache: Path) -> str:
        """Return what identifies the served weights: their content where it lies here, else what the server says."""
        served = self.served
        if served.root and any(Path(served.root).glob("*.safetensors")):
            return checkpoint_stamp(served.root, cache)
        return " ".join(filter(None, ("served", served.model, served.root, served.weights)))

    def clean(self) -> None:
        """Close the connections."""
        self.engine.close()
        super().clean()
