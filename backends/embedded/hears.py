"""The embedded tiny listener: genuine Qwen2-Audio architecture, trained from scratch on simulated sound.

Importing this module loads no deep-learning library.
"""

from __future__ import annotations

from pathlib import Path

CHECKPOINT = Path(__file__).parent / "checkpoints" / "hears"
"""Folder that transformers' auto classes and lmms-eval's ``qwen2_audio`` load."""

MODEL_ARGS: dict[str, str | int] = {"device": "cpu"}
"""Arguments for ``semiology.backends.qwen2_audio_cpu.Qwen2AudioOnCpu`` besides ``pretrained``."""
