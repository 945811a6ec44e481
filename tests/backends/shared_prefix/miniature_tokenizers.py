"""Byte-level BPE tokenizers for the miniature models, with the special tokens of the published ones."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

CORPUS = (
    "You are a helpful assistant. user assistant system yes no NA Yes No",
    "Does the patient show rhythmic jerking of the limbs? Answer with yes or no.",
    "Is the head turned to one side, and if so, to which? Think of the first seconds only.",
    "Do both arms move at the same time? Frame1: Frame2: Frame from 00:01: seconds",
    "Describe the mouth, the eyes, the posture and whatever else changes between the frames.",
)
QWEN_TEMPLATE = (
    "{%- if messages[0]['role'] != 'system' -%}"
    "{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}{%- endif -%}"
    "{%- for message in messages -%}{{- '<|im_start|>' + message['role'] + '\\n' -}}"
    "{%- if message['content'] is string -%}{{- message['content'] -}}{%- else -%}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}{{- 'IMAGE' -}}{%- elif part['type'] == 'video' -%}{{- 'VIDEO' -}}"
    "{%- elif part['type'] == 'audio' -%}{{- 'AUDIO' -}}"
    "{%- elif 'text' in part -%}{{- part['text'] -}}{%- endif -%}"
    "{%- endfor -%}{%- endif -%}{{- '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
QWEN_TOKENS = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
    "audio_token": "<|AUDIO|>",
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
}
END = "<|im_end|>"
PAD = "<|endoftext|>"


def tokenizer(tokens: dict[str, str], template: str) -> Any:
    """Return a byte-level BPE tokenizer with the special tokens of an architecture."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    raw.train_from_iterator([*CORPUS * 4, *("yes", "no", "NA", "Yes", "No") * 50], trainer)
    assert json.loads(raw.to_str())["model"]["vocab"]["yes"]
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=["<|im_start|>"],
        model_specific_special_tokens=tokens,
        chat_template=template,
        model_max_length=4096,
    )


def template(image: str, video: str, audio: str = "") -> str:
    """Return a Qwen-like chat template with the given placeholders."""
    return QWEN_TEMPLATE.replace("IMAGE", image).replace("VIDEO", video).replace("AUDIO", audio)


def qwen_tokenizer() -> Any:
    wrapped = "<|vision_start|>{}<|vision_end|>".format
    return tokenizer(
        QWEN_TOKENS,
        template(wrapped("<|image_pad|>"), wrapped("<|video_pad|>"), "<|audio_bos|><|AUDIO|><|audio_eos|>"),
    )


def ids(tok: Any, **names: str) -> dict[str, int]:
    return {name: tok.convert_tokens_to_ids(token) for name, token in names.items()}
