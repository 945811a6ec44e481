"""Byte-level BPE tokenizer with Qwen2.5-VL's special tokens, trained on the texts that the model is asked."""

from __future__ import annotations

from collections.abc import Iterable

from transformers.models.qwen2.tokenization_qwen2 import Qwen2Tokenizer

from semiology.tools.embedded_models import tokenizer
from semiology.tools.embedded_models.tokenizer import END_OF_TURN, PADDING, START_OF_TURN

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
    return tokenizer.train_tokenizer(
        corpus, SPECIAL_TOKENS, VOCABULARY_SIZE, chat_template=CHAT_TEMPLATE, model_max_length=8192
    )
