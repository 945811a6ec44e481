"""A film, questions about it, and the answers of transformers' own ``generate`` to each full prompt."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import decord
import numpy as np
import torch
from miniatures import questions
from qwen_vl_utils import process_vision_info
from transformers.video_utils import VideoMetadata

from semiology.backends.shared_prefix.engine import SharedPrefixEngine
from semiology.backends.shared_prefix.frames import DecordReader
from semiology.backends.shared_prefix.loading import Checkpoint
from semiology.backends.shared_prefix.questions import Question, Settings
from semiology.backends.shared_prefix.sampling import Sampling
from semiology.backends.shared_prefix.windows import Options

SAMPLING = Sampling(fps=2, max_num_frames=16, min_pixels=28 * 28, max_pixels=56 * 84)
WINDOW = (2.0, 10.0)
NEW_TOKENS = 8


def write_film(path: Path, seconds: int = 16, fps: int = 10, size: tuple[int, int] = (128, 64)) -> Path:
    """Write a film whose pictures change all the time."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * fps):
            wave = np.sin(columns / 9 + number / 3) + np.cos(rows / 7 - number / 5)
            picture = np.stack(
                [127 + 60 * wave, (rows * 3 + number * 5) % 256, (columns * 2 + number * 9) % 256], 2
            )
            frame = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def messages(film: Path, text: str, window: tuple[float, float] = WINDOW) -> list[dict[str, Any]]:
    """Return one user turn in lmms-eval's form: the window, then the text."""
    start, end = window
    video = {"type": "video", "url": str(film), "start_time": start, "end_time": end}
    return [{"role": "user", "content": [video, {"type": "text", "text": text}]}]


def asked(
    film: Path, texts: Sequence[str], new_tokens: int = NEW_TOKENS, window: tuple[float, float] = WINDOW
) -> list[Question]:
    """Return questions about one window of a film."""
    return [
        Question(number, lambda text=text: messages(film, text, window), Settings(new_tokens))
        for number, text in enumerate(texts)
    ]


def engine(checkpoint: Checkpoint, sharing: str = "auto", **options: Any) -> SharedPrefixEngine:
    """Return an engine for small films."""
    return SharedPrefixEngine(checkpoint, SAMPLING, Options(sharing=sharing, **options))


def stock_inputs(checkpoint: Checkpoint, film: Path, text: str) -> dict[str, Any]:
    """Return a full prompt's inputs the way the stock classes make them, without our code."""
    processor, family = checkpoint.processor, checkpoint.family
    turns: list[dict[str, Any]] = []
    if family.system_prompt:
        turns.append({"role": "system", "content": [{"type": "text", "text": family.system_prompt}]})
    shown = _shown(film, family.cap_with_fps)
    turns.append({"role": "user", "content": [shown, {"type": "text", "text": text}]})
    prompt = processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    arguments: dict[str, Any] = {"text": [prompt], "return_tensors": "pt"}
    if family.qwen_frames:
        frames, told = _qwen_video(film, family.cap_with_fps, processor.video_processor.patch_size)
        arguments |= {"videos": [frames], "video_metadata": [told]}
        if family.name != "Qwen2.5-VL":
            arguments |= {"do_resize": False, "do_sample_frames": False}
        if family.rate_argument:
            arguments["fps"] = SAMPLING.fps
    else:
        arguments |= _plain_video(processor, film)
    return dict(processor(**arguments))


def _shown(film: Path, capped: bool) -> dict[str, Any]:
    """Return the window as a part of a message, in the form of qwen_vl_utils."""
    shown = {"type": "video", "video": str(film), "video_start": WINDOW[0], "video_end": WINDOW[1]}
    shown |= {"fps": SAMPLING.fps, "min_pixels": SAMPLING.min_pixels, "max_pixels": SAMPLING.max_pixels}
    return {**shown, "max_frames": SAMPLING.max_num_frames} if capped else shown


@lru_cache(maxsize=4)
def _qwen_video(film: Path, capped: bool, patch_size: int) -> tuple[torch.Tensor, Any]:
    """Return the frames of the window and what is told of them, read once for all questions."""
    turn = {"role": "user", "content": [_shown(film, capped)]}
    _, videos, _ = process_vision_info(
        [[turn]], return_video_kwargs=True, return_video_metadata=True, image_patch_size=patch_size
    )
    return videos[0][0], videos[0][1]


def _plain_video(processor: Any, film: Path) -> dict[str, Any]:
    """Return 16 frames of the window picked by the processor's own sampler, as a clip of its own."""
    reader = decord.VideoReader(str(film))
    fps = reader.get_avg_fps()
    first, last = round(WINDOW[0] * fps), round(WINDOW[1] * fps)
    total = last - first + 1
    metadata = VideoMetadata(total, fps=fps, duration=total / fps)
    rate = {"fps": fps} if "SmolVLM" in type(processor).__name__ else {}
    chosen = np.unique(np.asarray(processor.video_processor.sample_frames(metadata, num_frames=16, **rate)))
    frames = torch.from_numpy(reader.get_batch((chosen + first).tolist()).asnumpy()).permute(0, 3, 1, 2)
    told = {"fps": fps, "total_num_frames": total, "duration": total / fps, "frames_indices": chosen.tolist()}
    return {"videos": [frames], "video_metadata": [told], "do_sample_frames": False}


@torch.no_grad()
def stock_answers(
    checkpoint: Checkpoint, film: Path, texts: Sequence[str], new_tokens: int = NEW_TOKENS
) -> list[str]:
    """Return the greedy answers of ``generate`` to the full prompts, one by one."""
    model, tokenizer = checkpoint.model, checkpoint.tokenizer
    stop = {"eos_token_id": tokenizer.eos_token_id} if checkpoint.family.tokenizer_stop else {}
    answers = []
    for text in texts:
        inputs = stock_inputs(checkpoint, film, text)
        out = model.generate(**inputs, **stop, do_sample=False, num_beams=1, max_new_tokens=new_tokens)
        tail = out[0, inputs["input_ids"].shape[1] :]
        answers.append(tokenizer.decode(tail, skip_special_tokens=True, clean_up_tokenization_spaces=False))
    return answers


@dataclass
class Witness:
    """What really ran: counted by hooks on the model and by a wrapped reader, not by the engine."""

    vision_runs: int = 0
    language_tokens: int = 0
    opens: int = 0
    reads: int = 0


@contextmanager
def watched(engine: SharedPrefixEngine) -> Any:
    """Count what an engine's model and reader really do."""
    witness = Witness()
    body = engine.checkpoint.model.base_model
    towers = [
        getattr(body, name) for name in ("visual", "vision_tower", "vision_model") if hasattr(body, name)
    ]
    language = getattr(body, "language_model", None) or body.text_model

    def saw(*_: Any) -> None:
        witness.vision_runs += 1

    def read(_: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        hidden = arguments[0] if arguments else named["hidden_states"]
        witness.language_tokens += hidden.shape[0] * hidden.shape[1]

    hooks = [towers[0].register_forward_hook(saw)]
    hooks.append(language.layers[0].register_forward_pre_hook(read, with_kwargs=True))
    engine.reader = _CountingReader(witness)
    try:
        yield witness
    finally:
        for hook in hooks:
            hook.remove()


class _CountingReader(DecordReader):
    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    @contextmanager
    def open(self, path: str) -> Any:
        with super().open(path) as recording:
            self._witness.opens += 1
            plain = recording.windows

            def windows(wanted: Sequence[Sequence[int]]) -> Any:
                for frames in plain(wanted):
                    self._witness.reads += 1
                    yield frames

            recording.windows = windows  # type: ignore[method-assign]
            yield recording


__all__ = ["questions"]
