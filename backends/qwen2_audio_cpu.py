"""lmms-eval's Qwen2-Audio class, able to run without a GPU.

The stock class puts the model on ``cuda:N`` whatever ``device`` says. This one loads it where ``device`` says
and leaves prompting, generation and post-processing to the stock code. It also does without librosa, which
the stock class needs for resampling alone.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from math import gcd
from types import ModuleType

import numpy as np
import torch
from lmms_eval.api.model import lmms
from numpy.typing import NDArray
from scipy.signal import resample_poly
from transformers import AutoProcessor, Qwen2AudioForConditionalGeneration


def _resample(sound: NDArray[np.float32], orig_sr: int, target_sr: int) -> NDArray[np.float32]:
    """Return the sound at another rate, as ``librosa.resample`` is called by the stock class."""
    if orig_sr == target_sr:
        return sound
    common = gcd(orig_sr, target_sr)
    return np.asarray(resample_poly(sound, target_sr // common, orig_sr // common), dtype=np.float32)


if find_spec("librosa") is None:
    # The stock module imports librosa for this one function; no other code may take it for the real one.
    _stand_in = ModuleType("librosa")
    _stand_in.resample = _resample  # type: ignore[attr-defined]
    sys.modules["librosa"] = _stand_in
    try:
        import_module("lmms_eval.models.model_utils.audio_processing")
    finally:
        del sys.modules["librosa"]

from lmms_eval.models.simple.qwen2_audio import Qwen2_Audio  # noqa: E402

_SYSTEM_TURN = (
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "{% endif %}"
)


class Qwen2AudioOnCpu(Qwen2_Audio):  # type: ignore[misc]
    """Qwen2-Audio for lmms-eval's simple protocol on the device that is asked for, one process."""

    def __init__(
        self,
        pretrained: str,
        device: str = "cpu",
        device_map: str = "",
        batch_size: int | str = 1,
        use_cache: bool = True,
        add_generation_prompt: bool = True,
        add_system_prompt: bool = True,
        simple_prompt: bool = False,
        dtype: str = "auto",
    ) -> None:
        """Load a Qwen2-Audio checkpoint on a device, for instance ``cpu``, ``mps`` or ``cuda:1``.

        The arguments are those of the stock class, and ``dtype`` of the weights (``auto``: that of the file). Its
        users write ``device_map``, which must agree with ``device``; without ``add_system_prompt`` the chat
        template's system turn is left out; ``simple_prompt`` uses no chat template, as for the base model.

        Raises:
            ValueError: ``device_map`` names another place than ``device``.
        """
        if device_map not in ("", "auto", device):
            raise ValueError(
                f"device_map={device_map} does not agree with device={device}: give only the device"
            )
        # Not the stock __init__, which moves everything to cuda; the attributes are those it sets.
        lmms.__init__(self)
        self.add_generation_prompt = add_generation_prompt
        self.add_system_prompt = add_system_prompt
        self.simple_prompt = simple_prompt
        self._device = torch.device(device)
        self.device_map = device
        model = Qwen2AudioForConditionalGeneration.from_pretrained(pretrained, dtype=dtype)
        self._model = model.to(self._device).eval()
        self._config = model.config
        self.processor = AutoProcessor.from_pretrained(pretrained)
        self.processor.tokenizer.padding_side = "left"
        self._tokenizer = self.processor.tokenizer
        if not add_system_prompt:
            self.processor.chat_template = self.processor.chat_template.replace(_SYSTEM_TURN, "")
        self.batch_size_per_gpu = int(batch_size)
        self.use_cache = use_cache
        self._rank, self._world_size = 0, 1
