"""The embedded tiny model: genuine Qwen2.5-VL architecture, trained from scratch on simulated clips.

Importing this module loads no deep-learning library.
"""

from __future__ import annotations

from pathlib import Path

CHECKPOINT = Path(__file__).parent / "checkpoints" / "sees"
"""Folder that transformers' auto classes and lmms-eval's ``qwen2_5_vl`` load."""

FPS = 2.0
MIN_PIXELS = 30_000
MAX_PIXELS = 38_000
"""Pixels per frame: 640 x 480 becomes 224 x 168 (12 tokens per frame pair), 1280 x 720 280 x 168 (15)."""

_SAMPLING: dict[str, str | int] = {"fps": 2, "min_pixels": MIN_PIXELS, "max_pixels": MAX_PIXELS}
MODEL_ARGS: dict[str, str | int] = {"device": "cpu", "device_map": "cpu", **_SAMPLING}
"""Arguments for lmms-eval's ``qwen2_5_vl`` besides ``pretrained``: the sampling known from training."""

SHARED_PREFIX_ARGS: dict[str, str | int] = {"device": "cpu", "dtype": "float32", **_SAMPLING}
"""Arguments for ``semiology_hf``. Float32: most CPUs have no arithmetic for bfloat16 and are slow in it."""
