"""A checkpoint on this machine as a language model that reads text, through transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class CheckpointModel:
    """Reads prompts with a causal language model, or the language part of a vision-language one; greedily.

    Raises:
        ValueError, OSError: the folder is no such checkpoint with safetensors files.
    """

    def __init__(self, folder: Path, *, max_tokens: int) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, AutoTokenizer

        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer = AutoTokenizer.from_pretrained(
            folder, padding_side="left", trust_remote_code=False, local_files_only=True
        )
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        settings = {
            "dtype": "auto",
            "use_safetensors": True,
            "trust_remote_code": False,
            "local_files_only": True,
        }
        try:
            model = AutoModelForCausalLM.from_pretrained(folder, **settings)
        except ValueError:  # an architecture that is registered with its pictures alone
            model = AutoModelForImageTextToText.from_pretrained(folder, **settings)
        self._model = model.to(self._device).eval()
        self._max_tokens = max_tokens

    def __call__(self, prompt: str, /) -> str:
        """Return the reply to a prompt."""
        return self.many([prompt])[0]

    def many(self, prompts: Sequence[str]) -> list[str]:
        """Return the replies in the order of the prompts."""
        import torch

        texts = [self._as_chat(prompt) for prompt in prompts]
        inputs = self._tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        inputs = {name: inputs[name].to(self._device) for name in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            tokens = self._model.generate(
                **inputs,
                max_new_tokens=self._max_tokens,
                do_sample=False,
                pad_token_id=self._tokenizer.pad_token_id,
            )
        new = tokens[:, inputs["input_ids"].shape[1] :]
        return list(self._tokenizer.batch_decode(new, skip_special_tokens=True))

    def _as_chat(self, prompt: str) -> str:
        if self._tokenizer.chat_template is None:
            return prompt
        messages = [{"role": "user", "content": prompt}]
        return str(self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
