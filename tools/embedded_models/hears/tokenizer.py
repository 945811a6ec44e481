"""Byte-level BPE tokenizer with Qwen2-Audio's special tokens, trained on the questions of the library."""

from __future__ import annotations

from collections.abc import Iterable

from transformers.models.qwen2.tokenization_qwen2 import Qwen2Tokenizer

from semiology.tools.embedded_models import tokenizer
from semiology.tools.embedded_models.tokenizer import END_OF_TURN, PADDING, START_OF_TURN

# Names as in the published Qwen2-Audio tokenizer; template and processor look them up by name.
SPECIAL_TOKENS: tuple[str, ...] = (
    PADDING,
    START_OF_TURN,
    END_OF_TURN,
    "<|AUDIO|>",
    "<|audio_bos|>",
    "<|audio_eos|>",
)
VOCABULARY_SIZE = 900
# What every prompt and answer holds; often enough to become one token per word.
_FRAME_WORDS = ("yes", "no", "NA", "system", "user", "assistant", "You are a helpful assistant.", "Audio 1:")


def train_tokenizer(texts: Iterable[str]) -> Qwen2Tokenizer:
    """Train the tokenizer on the given questions; yes, no and NA become one token each."""
    corpus = [*texts, *(_FRAME_WORDS * 1000)]
    return tokenizer.train_tokenizer(corpus, SPECIAL_TOKENS, VOCABULARY_SIZE, model_max_length=4096)
