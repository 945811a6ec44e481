"""The floor of ``shared_prefix.py``: the least that must be done, piece by piece with plain transformers.

One reading of the window, one run of the processor, one forward pass of pixels and shared prefix, then the
question tokens and the generated tokens alone, laid into long rows behind the cache. No engine of ours and no
lmms-eval: nothing is grouped, tokenised per question, masked by question, sampled or checked. Every piece
that can be run again is run twice, and the lesser time counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import torch
from qwen_vl_utils import process_vision_info
from shared_prefix_cell import Spec, synchronize
from transformers import AutoProcessor, DynamicCache, Qwen2_5_VLForConditionalGeneration

from semiology.backends.shared_prefix.questions import Medium
from semiology.backends.shared_prefix.sampling import Sampling, pick_as_qwen, resize_as_qwen
from semiology.backends.shared_prefix.streamed_frames import StreamedReader

LEAST_ROW = 512


def measure_floor(spec: Spec) -> list[dict[str, Any]]:
    """Return a floor cell for every pair of the plan; the first window stands for all."""
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        spec.checkpoint,
        dtype="bfloat16",
        device_map=spec.device,
        **({"attn_implementation": spec.attention} if spec.attention else {}),
    ).eval()
    if spec.dtype == "float32":
        model.float()
    limits = {"min_pixels": spec.min_pixels, "max_pixels": spec.max_pixels}
    processor = AutoProcessor.from_pretrained(spec.checkpoint, **limits)
    reading, videos = _reading(spec)
    prompts = [_prompt(processor, spec, text) for text in spec.texts]
    processing, inputs = _twice(lambda: _inputs(processor, prompts[0], videos), "cpu")
    inputs = inputs.to(spec.device)
    suffixes, length = _suffixes(processor, prompts, inputs["input_ids"][0].tolist())
    prefilling, cache = _twice(lambda: _prefill(model, inputs, length), spec.device)
    once = reading + processing + prefilling
    parts = {"reading_s": reading, "processing_s": processing, "prefill_s": prefilling}
    cells = []
    for (questions, tokens), answered in zip(spec.plan, spec.answered, strict=True):
        asked = suffixes[:questions]
        rows = {max(LEAST_ROW, length // 4), sum(map(len, asked))}
        behind = min(_behind(model, cache, asked, answered, row, spec.device) for row in rows)
        windows = len(spec.windows)
        counts = {"decodes": 1, "vision_runs": 1, "prefilled_tokens": length}
        counts |= {"suffix_tokens": sum(map(len, asked)), "generated_tokens": questions * answered}
        cells.append(
            {
                "subject": spec.subject,
                "side": "floor",
                "questions": questions,
                "tokens": tokens,
                "seconds": (once + behind) * windows,
                "counts": {"opens": 1} | {name: value * windows for name, value in counts.items()},
                "texts": [],
                "parts": {**parts, "behind_s": behind},
            }
        )
    return cells


def _twice(run: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Return the lesser time of two runs, seconds, and what the last returned."""
    times = []
    result: Any = None
    for _ in range(2):
        synchronize(device)
        start = perf_counter()
        result = run()
        synchronize(device)
        times.append(perf_counter() - start)
    return min(times), result


def _turn(spec: Spec, text: str) -> list[dict[str, Any]]:
    start, end = spec.windows[0]
    shown = {"type": "video", "video": spec.film, "video_start": start, "video_end": end, "fps": spec.fps}
    shown |= {"min_pixels": spec.min_pixels, "max_pixels": spec.max_pixels}
    return [{"role": "user", "content": [shown, {"type": "text", "text": text}]}]


def _prompt(processor: Any, spec: Spec, text: str) -> str:
    return str(processor.apply_chat_template(_turn(spec, text), tokenize=False, add_generation_prompt=True))


def _reading(spec: Spec) -> tuple[float, Any]:
    """Return the lesser time of stock's and our way to read and resize the window, and stock's frames."""

    def stock() -> Any:
        return process_vision_info([_turn(spec, "")], return_video_kwargs=True, return_video_metadata=True)[1]

    def streamed() -> None:
        sampling = Sampling(fps=spec.fps, min_pixels=spec.min_pixels, max_pixels=spec.max_pixels)
        with StreamedReader().open(spec.film) as recording:
            window = Medium("video", spec.film, *spec.windows[0])
            picked = pick_as_qwen(window, recording.facts, sampling, cap_with_fps=False)
            frames = next(iter(recording.windows([picked.numbers])))
            resize_as_qwen(frames, sampling, 14)  # type: ignore[arg-type]

    own, _ = _twice(streamed, "cpu")
    theirs, videos = _twice(stock, "cpu")
    return min(own, theirs), videos


def _inputs(processor: Any, prompt: str, videos: Any) -> Any:
    frames, metadata = zip(*videos, strict=True)
    return processor(
        text=[prompt], videos=list(frames), video_metadata=list(metadata), padding=True, return_tensors="pt"
    )


def _suffixes(processor: Any, prompts: Sequence[str], first: list[int]) -> tuple[list[list[int]], int]:
    """Return the tokens of each question behind the shared prefix, and the length of the prefix.

    The first prompt holds the expanded video; every other differs from it only behind the video, so that
    lengths can be counted from the unexpanded prompts.
    """
    ids = [processor.tokenizer(prompt)["input_ids"] for prompt in prompts]
    shared = min(_common(ids[0], other) for other in ids)
    shared = min(shared, min(map(len, ids)) - 1)
    return [prompt[shared:] for prompt in ids], len(first) - (len(ids[0]) - shared)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


@torch.no_grad()
def _prefill(model: Any, inputs: Any, length: int) -> Any:
    """Run pixels and shared prefix through the model and return the cache."""
    cache = DynamicCache(config=model.config)
    per_token = ("input_ids", "mm_token_type_ids")
    arguments = {name: inputs[name][:, :length] for name in per_token if name in inputs}
    media = ("pixel_values_videos", "video_grid_thw", "second_per_grid_ts")
    arguments |= {name: inputs[name] for name in media if name in inputs}
    if model.base_model.rope_deltas is not None:
        model.base_model.rope_deltas = None
    model(**arguments, past_key_values=cache, use_cache=True, logits_to_keep=1)
    return cache


@torch.no_grad()
def _behind(
    model: Any, cache: Any, suffixes: Sequence[Sequence[int]], tokens: int, row: int, device: str
) -> float:
    """Return the seconds of all suffix and generated tokens in rows of at most ``row`` suffix tokens."""
    length = cache.get_seq_length()
    synchronize(device)
    start = perf_counter()
    for chunk in _chunks(suffixes, row):
        places = torch.tensor([len(suffix) for suffix in chunk]).cumsum(0) - 1
        ids = [token for suffix in chunk for token in suffix]
        following = _row(model, cache, ids, places)
        for _ in range(tokens - 1):
            following = _row(model, cache, following, torch.arange(len(following)))
        cache.crop(length - cache.get_seq_length())
    synchronize(device)
    return perf_counter() - start


def _row(model: Any, cache: Any, ids: Sequence[int], places: torch.Tensor) -> list[int]:
    """Run one row of tokens behind the cache and return the likeliest next token at some places."""
    first = cache.get_seq_length()
    positions = torch.arange(first, first + len(ids), device=model.device).expand(3, 1, -1)
    logits = model(
        input_ids=torch.tensor([list(ids)], device=model.device),
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=places.to(model.device),
    ).logits
    return [int(token) for token in logits[0].argmax(-1).tolist()]


def _chunks(suffixes: Sequence[Sequence[int]], row: int) -> list[list[Sequence[int]]]:
    chunks: list[list[Sequence[int]]] = [[]]
    for suffix in suffixes:
        if chunks[-1] and sum(map(len, chunks[-1])) + len(suffix) > row:
            chunks.append([])
        chunks[-1].append(suffix)
    return chunks
