"""lmms-eval's Qwen2-Audio class, able to run without a GPU.

The stock class puts the model on ``cuda:N`` whatever ``device`` says. This one loads it where ``device`` says
and leaves prompting, generation and post-processing to the stock code.
"""

from __future__ import annotations

import torch
from lmms_eval.api.model import lmms
from lmms_eval.models.simple.qwen2_audio import Qwen2_Audio
from transformers import AutoProcessor, Qwen2AudioForConditionalGeneration

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
        """Load the model.

        Args:
            pretrained: folder or name of a Qwen2-Audio checkpoint.
            device: where the model runs, for instance ``cpu``, ``mps`` or ``cuda:1``.
            device_map: accepted because lmms-eval users write it for the stock class; must agree with
                ``device`` if given.
            batch_size: questions answered together.
            use_cache: keep keys and values while generating.
            add_generation_prompt: end the prompt with the assistant's turn.
            add_system_prompt: keep the system turn of the checkpoint's chat template.
            simple_prompt: no chat template, as for the base model.
            dtype: of the weights; ``auto`` is that of the file.

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
        self._model = (
            Qwen2AudioForConditionalGeneration.from_pretrained(pretrained, dtype=dtype)
            .to(self._device)
            .eval()
        )
        self.processor = AutoProcessor.from_pretrained(pretrained)
        self.processor.tokenizer.padding_side = "left"
        self._tokenizer = self.processor.tokenizer
        if not add_system_prompt:
            self.processor.chat_template = self.processor.chat_template.replace(_SYSTEM_TURN, "")
        self._config = self._model.config
        self.batch_size_per_gpu = int(batch_size)
        self.use_cache = use_cache
        self._rank, self._world_size = 0, 1
