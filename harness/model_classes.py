"""What lmms-eval's model classes really show and play, as far as it was compared with the recording, byte for byte.

``tests/backends/shown`` holds the comparison: frames, their order and times, samples of sound. A class that shows
something else than it is told is refused, and so is a use of one that would; of a class that nobody compared a run
says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

COMPARED = frozenset({"async_openai", "audio_flamingo_3", "openai", "qwen2_5_vl", "qwen3_vl", "vllm"})
"""lmms-eval's classes that were held against the recording; our own are by their tests."""

_OWN = "semiology_"
_INSTEAD = "--model semiology_hf --model-args pretrained={checkpoint},fps=2"
_OMNI = (
    "shows 16 frames of a segment whatever its arguments say, and answers nothing where it fails → use "
    f"{_INSTEAD},max_num_frames=120, with SEMIOLOGY_SOUND=array for the features that are heard"
)
REFUSED: Mapping[str, str] = {
    "qwen2_5_omni": _OMNI.format(checkpoint="Qwen/Qwen2.5-Omni-7B"),
    "qwen3_omni": _OMNI.format(checkpoint="Qwen/Qwen3-Omni-30B-A3B-Instruct"),
    "llava_onevision": (
        "asks without pictures, and without a word, where it cannot read a segment → use "
        + _INSTEAD.format(checkpoint="llava-hf/llava-onevision-qwen2-7b-ov-hf")
    ),
    "internvl_hf": (
        "shows num_frames frames of a segment however short it is, takes no fps, and answers nothing where it fails "
        "→ use " + _INSTEAD.format(checkpoint="OpenGVLab/InternVL3_5-8B-HF")
    ),
}
"""Classes that show other media than they were told, or hide that they showed none; what to use instead."""


FIRST_WITH_OTHER_POSITIONS = (5, 3)
"""The release of transformers since which the question after a long video stands elsewhere than in training."""
QWEN3_CAP = 32
"""Frames that the classes of Qwen3-VL show at most unless ``max_num_frames`` says otherwise, with ``fps`` too."""


class ModelClassError(ValueError):
    """A model class would be shown something else than the run says; the message says what to use instead."""


def check_model_class(model: str, model_args: str | Mapping[str, Any], window_s: float = 0.0) -> list[str]:
    """Return remarks about a model class of lmms-eval (by name or alias) and its arguments.

    ``window_s`` is the length of the segments in s; 0 where it is not known.

    Raises:
        ModelClassError: it would not show what it is told to.
    """
    name = _own_name(model)
    if name in REFUSED:
        raise ModelClassError(f"--model {model} {REFUSED[name]}")
    arguments = model_arguments(model_args)
    if name in ("openai", "async_openai") and str(arguments.get("pass_video_url", "")).lower() in (
        "true",
        "1",
    ):
        raise ModelClassError(
            f"--model {model}: pass_video_url=True sends the whole recording for every segment → leave it out"
        )
    if name == "audio_flamingo_3":
        _check_audio_flamingo(model, arguments)
    if name not in COMPARED and not name.startswith(_OWN):
        compared = ", ".join(("semiology_hf", *sorted(COMPARED)))
        return [f"what --model {model} really shows was never compared with the recording, unlike {compared}"]
    checkpoint = str(arguments.get("pretrained", "")).lower()
    capped = name == "qwen3_vl" or (
        name == "semiology_hf" and "qwen3" in checkpoint and "omni" not in checkpoint
    )
    cap, rate = int(arguments.get("max_num_frames") or QWEN3_CAP), float(arguments.get("fps") or 0)
    if capped and rate * window_s > cap:
        told = f"{cap / window_s:.2f} a second of {window_s:g} s, not fps={rate:g}"
        remedy = f"add max_num_frames={math.ceil(rate * window_s)} for that"
        return [f"--model {model} shows at most max_num_frames={cap} frames of a segment: {told}; {remedy}"]
    if name in ("semiology_hf", "qwen2_vl", "qwen2_5_vl") and re.search(r"qwen2(\.5|_5)?[-_]?vl", checkpoint):
        return _positions_of_text(model)
    return []


def _positions_of_text(model: str) -> list[str]:
    """Return a remark where transformers places the question after a video elsewhere than in training.

    Since 5.3 the text of Qwen2-VL and Qwen2.5-VL begins behind the larger side of the picture, and no longer behind the
    last moment, which comes later in segments of more than about ten seconds (figures: docs/models/served_models.md).
    """
    installed = version("transformers")
    if tuple(int(part) for part in installed.split(".")[:2]) < FIRST_WITH_OTHER_POSITIONS:
        return []
    told = (
        f"--model {model}: transformers {installed} places the question after a long segment at other positions than "
        "Qwen2-VL and Qwen2.5-VL were trained with (before 5.3 it did not); a vLLM server, asked by semiology_openai, "
        "places it as in training"
    )
    return [told]


def _check_audio_flamingo(model: str, arguments: Mapping[str, Any]) -> None:
    """Raise ModelClassError where the class, which hides its errors, would answer nothing."""
    import torch

    if not torch.cuda.is_available():
        raise ModelClassError(
            f"--model {model} puts every segment on a CUDA device and answers nothing without one → run it on a "
            "machine that has one"
        )
    if "cuda" not in str(arguments.get("device", "cuda")):
        raise ModelClassError(
            f"--model {model}: device={arguments['device']} separates model and sound → leave it out"
        )
    if find_spec("soxr") is None and find_spec("torchcodec") is None:
        raise ModelClassError(
            f"--model {model} reads sound with a package that is missing and then answers nothing → pip install soxr"
        )


def model_arguments(model_args: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments of a model class by name, as lmms-eval reads them."""
    from lmms_eval.utils import simple_parse_args_string

    return simple_parse_args_string(model_args) if isinstance(model_args, str) else model_args


def _own_name(model: str) -> str:
    """Return the name of a class whose alias may have been given."""
    from lmms_eval.models import MODEL_REGISTRY_V2

    try:
        return str(MODEL_REGISTRY_V2.resolve(model).model_id)
    except (ValueError, KeyError):
        return model
