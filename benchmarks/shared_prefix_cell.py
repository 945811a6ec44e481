"""One cell of ``shared_prefix.py``, in a process of its own so that peaks of memory do not mix.

Run by ``shared_prefix.py`` as ``python shared_prefix_cell.py SPEC.json RESULT.json``. Both sides get the same
lmms-eval requests, the same weights and the same number format; loading is not timed.

The floor is the least that must be done, piece by piece with plain transformers: one reading of the window, one run
of the processor, one forward pass of pixels and shared prefix, then the question tokens and the generated tokens
alone, laid into long rows behind the cache. No engine of ours and no lmms-eval: nothing is grouped, tokenized per
question, masked by question, sampled or checked. Every piece that can be run again is run twice, and the lesser time
counts.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import av
import decord
import torch
from measuring import forget_peak, peak_mib, used_mib
from qwen_vl_utils import process_vision_info
from transformers import AutoProcessor, Cache, DynamicCache, Qwen2_5_VLForConditionalGeneration

from semiology.backends.shared_prefix.frames import StreamedReader
from semiology.backends.shared_prefix.questions import Medium
from semiology.backends.shared_prefix.sampling import Sampling, pick_as_qwen, resize_as_qwen

TASK, SPLIT = "shared_prefix", "test"
LEAST_ROW = 512


@dataclass(frozen=True)
class Spec:
    """What one process measures.

    Attributes:
        side: ``stock`` or ``ours``, or ``floor``, which measures all of ``plan`` at once.
        windows: Start and end of each window, seconds.
        plan: Pairs of questions about each window and tokens to generate; one pair but for the floor.
        answered: Of the floor, per pair the tokens that a question really got; a model may stop early.
        texts: The questions, as many as the largest of the plan.
        warm_up: Another film, about which one question is asked before the measurement; None for none.
    """

    subject: str
    side: str
    checkpoint: str
    film: str
    windows: Sequence[tuple[float, float]]
    plan: Sequence[tuple[int, int]]
    answered: Sequence[int]
    texts: Sequence[str]
    device: str
    dtype: str
    attention: str | None
    threads: int | None
    fps: float
    min_pixels: int
    max_pixels: int
    decoder: str
    warm_up: str | None


def requests_of(lm: Any, spec: Spec, questions: int, tokens: int) -> list[Any]:
    """Return the lmms-eval requests and make their documents known to the model class, window by window."""
    from lmms_eval.api.instance import Instance

    documents = [(window, text) for window in spec.windows for text in spec.texts[:questions]]

    def messages(document: tuple[tuple[float, float], str]) -> list[dict[str, Any]]:
        (start, end), text = document
        video = {"type": "video", "url": spec.film, "start_time": start, "end_time": end}
        return [{"role": "user", "content": [video, {"type": "text", "text": text}]}]

    lm.task_dict[TASK] = {SPLIT: documents}
    generation = {"max_new_tokens": tokens, "temperature": 0, "do_sample": False, "until": []}
    return [
        Instance(
            request_type="generate_until",
            arguments=(text, messages, dict(generation), number, TASK, SPLIT),
            idx=0,
            metadata={"task": TASK, "doc_id": number, "repeats": 1},
        )
        for number, (_, text) in enumerate(documents)
    ]


def load(spec: Spec) -> Any:
    """Return the model of a side, loaded in bfloat16 and cast to the number format asked for.

    Stock is lmms-eval's own ``qwen2_5_vl``; ours is ``semiology_hf`` without a journal.
    """
    from lmms_eval.models.chat.qwen2_5_vl import Qwen2_5_VL

    from semiology.backends.semiology_hf import SemiologyHF

    shared: dict[str, Any] = {
        "pretrained": spec.checkpoint, "device": spec.device, "fps": spec.fps, "min_pixels": spec.min_pixels,
        "max_pixels": spec.max_pixels, "attn_implementation": spec.attention,
    }  # fmt: skip
    if spec.side == "stock":
        lm: Any = Qwen2_5_VL(**shared, device_map=spec.device)
    else:
        lm = SemiologyHF(**shared, dtype="bfloat16", decoder=spec.decoder, journal="none")
    if spec.dtype == "float32":
        lm.model.float()
    return lm


@contextmanager
def watched(model: Any) -> Iterator[Counter[str]]:
    """Count what really runs, on either side: openings of the film, vision runs, language-model tokens.

    A pass of the language model over several tokens whose first position is 0 is a prefill.
    """
    seen: Counter[str] = Counter()
    body = model.base_model

    def vision(*_: Any) -> None:
        seen["vision_runs"] += 1

    def language(_: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        hidden = arguments[0] if arguments else named["hidden_states"]
        cache = next((value for value in named.values() if isinstance(value, Cache)), None)
        behind = cache is not None and cache.get_seq_length() > 0
        seen["behind_tokens" if behind else "prefilled_tokens"] += hidden.shape[0] * hidden.shape[1]

    hooks = [
        body.visual.register_forward_hook(vision),
        body.language_model.layers[0].register_forward_pre_hook(language, with_kwargs=True),
    ]
    openers: list[tuple[Any, str, Any]] = [(av, "open", av.open), (decord, "VideoReader", decord.VideoReader)]
    for module, name, opener in openers:
        setattr(module, name, _counted(opener, seen))
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
        for module, name, opener in openers:
            setattr(module, name, opener)


def _counted(opener: Callable[..., Any], seen: Counter[str]) -> Callable[..., Any]:
    def open_counted(*arguments: Any, **named: Any) -> Any:
        seen["opens"] += 1
        return opener(*arguments, **named)

    return open_counted


def measure(spec: Spec) -> dict[str, Any]:
    """Load one side, ask it and return the cell."""
    ((questions, tokens),) = spec.plan
    lm = load(spec)
    if spec.warm_up:
        other = replace(spec, film=spec.warm_up, windows=spec.windows[:1])
        lm.generate_until(requests_of(lm, other, questions=1, tokens=1))
    asked = requests_of(lm, spec, questions, tokens)
    earlier = Counter(_engine_counts(lm))
    loaded = reset_peak(spec.device)
    with watched(lm.model) as seen:
        start = perf_counter()
        replies = lm.generate_until(asked)
        synchronize(spec.device)
        seconds = perf_counter() - start
    peak = peak_of(spec.device)
    own = Counter(_engine_counts(lm))
    own.subtract(earlier)
    texts = [reply.text for reply in replies]
    generated = sum(reply.token_counts.output_tokens for reply in replies)
    return {
        "subject": spec.subject,
        "side": spec.side,
        "questions": questions,
        "tokens": tokens,
        "seconds": seconds,
        "counts": _counts(spec, seen, own, len(asked), generated),
        "texts": [texts[first : first + questions] for first in range(0, len(texts), questions)],
        "peak_mib": peak,
        "loaded_mib": loaded,
        "sharing": lm.engine.sharing if spec.side == "ours" else "none",
    }


def _engine_counts(lm: Any) -> dict[str, int]:
    engine = getattr(lm, "engine", None)
    counts = engine.counts.as_dict() if engine is not None else {}
    return {name: value for name, value in counts.items() if isinstance(value, int)}


def _counts(spec: Spec, seen: Counter[str], own: Counter[str], asked: int, generated: int) -> dict[str, int]:
    """Return the cell's counts: those of the hooks, and our suffixes from the engine, which must agree.

    Raises:
        RuntimeError: The engine reports other token counts than the hooks saw, or left questions unanswered.
    """
    counts = {"opens": seen["opens"], "vision_runs": seen["vision_runs"], "generated_tokens": generated}
    if spec.side == "stock":  # one reading of the window per question, by its source
        return {**counts, "decodes": asked, "prefilled_tokens": seen["prefilled_tokens"], "suffix_tokens": 0}
    through = seen["prefilled_tokens"] + seen["behind_tokens"]
    if through != own["language_model_tokens"] or own["unanswered"]:
        raise RuntimeError(f"the hooks saw {through} tokens; the engine reports {dict(own)}")
    return {
        **counts,
        "decodes": own["decodes"],
        "prefilled_tokens": seen["prefilled_tokens"],
        "suffix_tokens": own["suffix_tokens"] + own["padding_tokens"],
    }


def reset_peak(device: str) -> float:
    """Forget the peak of memory so far and return what is in use, MiB."""
    if device == "cpu":
        forget_peak()
        return used_mib()
    torch.cuda.reset_peak_memory_stats()
    return float(torch.cuda.memory_allocated() / 2**20)


def peak_of(device: str) -> float:
    """Return the peak of memory since `reset_peak` (since the start where the system cannot reset), MiB."""
    if device == "cpu":
        return peak_mib()
    return float(torch.cuda.max_memory_allocated() / 2**20)


def synchronize(device: str) -> None:
    """Wait until the device has done all it was given."""
    if device != "cpu":
        torch.cuda.synchronize()


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
    prompts = [
        str(processor.apply_chat_template(_turn(spec, text), tokenize=False, add_generation_prompt=True))
        for text in spec.texts
    ]
    frames, metadata = (list(part) for part in zip(*videos, strict=True))
    given = {"text": prompts[:1], "videos": frames, "video_metadata": metadata}
    processing, inputs = _twice(lambda: processor(**given, padding=True, return_tensors="pt"), "cpu")
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


def _suffixes(processor: Any, prompts: Sequence[str], first: list[int]) -> tuple[list[list[int]], int]:
    """Return the tokens of each question behind the shared prefix, and the length of the prefix.

    The first prompt holds the expanded video; every other differs from it only behind the video, so that
    lengths can be counted from the unexpanded prompts.
    """
    ids = [processor.tokenizer(prompt)["input_ids"] for prompt in prompts]
    shortest = min(map(len, ids))
    columns = enumerate(zip(*ids, strict=False))
    shared = min(shortest - 1, next((place for place, column in columns if len(set(column)) > 1), shortest))
    return [prompt[shared:] for prompt in ids], len(first) - (len(ids[0]) - shared)


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


def main() -> None:
    """Read the specification, measure, write the cells."""
    specification, result = map(Path, sys.argv[1:3])
    spec = Spec(**json.loads(specification.read_text()))
    if spec.threads is not None:
        torch.set_num_threads(spec.threads)
    cells = measure_floor(spec) if spec.side == "floor" else [measure(spec)]
    for cell in cells:
        cell["threads"] = torch.get_num_threads()
    result.write_text(json.dumps(cells))


if __name__ == "__main__":
    main()
