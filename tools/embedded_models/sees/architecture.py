"""Builds and loads the tiny Qwen2.5-VL: transformers' own classes, small numbers.

Each visual token stands for a square of 56 px in two consecutive frames (14 px patches, merged 4 by 4), so
that a 30 s window at 2 fps and 224 x 168 px gives 360 tokens while eyes and mouth keep a few pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)
from transformers.models.qwen2.tokenization_qwen2 import Qwen2Tokenizer

from semiology.backends.embedded.sees import CHECKPOINT, MAX_PIXELS, MIN_PIXELS
from semiology.tools.embedded_models import training
from semiology.tools.embedded_models.training import END_OF_TURN, PADDING, START_OF_TURN, greedy_decoding

PATCH_PX = 14
MERGE = 4


def text_settings(tokenizer: Qwen2Tokenizer) -> dict[str, Any]:
    """Return the language model's configuration for a tokenizer."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 192,
        "intermediate_size": 384,
        "num_hidden_layers": 5,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "max_position_embeddings": 8192,
        "initializer_range": 0.05,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [8, 4, 4]},
        "bos_token_id": None,
        "eos_token_id": tokenizer.convert_tokens_to_ids("<|im_end|>"),
        "pad_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        "tie_word_embeddings": True,
    }


def vision_settings(out_hidden_size: int) -> dict[str, Any]:
    """Return the vision tower's configuration.

    The attention window is larger than the frame: every block sees the whole frame pair, cheap at this size.
    """
    return {
        "depth": 3,
        "hidden_size": 80,
        "intermediate_size": 240,
        "num_heads": 5,
        "patch_size": PATCH_PX,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "tokens_per_second": 2,
        "window_size": 336,
        "fullatt_block_indexes": [1, 2],
        "out_hidden_size": out_hidden_size,
        "initializer_range": 0.05,
    }


def build_model(tokenizer: Qwen2Tokenizer, seed: int = 0) -> Qwen2_5_VLForConditionalGeneration:
    """Return an untrained model in float32 whose weights depend on ``seed`` alone."""
    text = text_settings(tokenizer)
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision_settings(text["hidden_size"]),
        image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(config).float()
    model.generation_config = greedy_decoding(config.text_config, max_new_tokens=64)
    return model


def build_processor(tokenizer: Qwen2Tokenizer) -> Qwen2_5_VLProcessor:
    """Return the processor that turns chat messages and frames into the model's inputs."""
    size = {"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS}
    geometry = {"patch_size": PATCH_PX, "merge_size": MERGE, "temporal_patch_size": 2}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size, **geometry),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(size=size, cap_pixels_per_frame=False, **geometry),
        chat_template=tokenizer.chat_template,
    )


def load_checkpoint(
    directory: Path = CHECKPOINT, dtype: torch.dtype = torch.float32
) -> tuple[Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor]:
    """Load model and processor from a local folder, never from the network."""
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(directory, dtype=dtype, local_files_only=True)
    processor = Qwen2_5_VLProcessor.from_pretrained(directory, local_files_only=True)
    return model.eval(), processor


# Names and order as in the published Qwen2.5-VL tokenizers; templates and processors look them up by name.
SPECIAL_TOKENS: tuple[str, ...] = (
    PADDING,
    START_OF_TURN,
    END_OF_TURN,
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
VOCABULARY_SIZE = 1536
# Words that must be one token each, whatever the frequency of other words.
ANSWER_WORDS = ("yes", "no", "NA")

CHAT_TEMPLATE = """\
{%- if messages[0]['role'] != 'system' -%}
{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' or 'image' in part or 'image_url' in part -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
{%- elif part['type'] == 'video' or 'video' in part -%}
{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
{%- elif 'text' in part -%}
{{- part['text'] -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


def train_tokenizer(texts: Iterable[str]) -> Qwen2Tokenizer:
    """Train the tokenizer on whole messages as the model will read them (questions, system turn, answers)."""
    corpus = list(texts) + ["system", "user", "assistant", "You are a helpful assistant."] * 50
    corpus += list(ANSWER_WORDS) * 1000
    return training.train_tokenizer(
        corpus, SPECIAL_TOKENS, VOCABULARY_SIZE, chat_template=CHAT_TEMPLATE, model_max_length=8192
    )
