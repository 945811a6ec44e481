"""Byte-level BPE tokenizers of Qwen2's own class, trained on the texts that an embedded model reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX, Qwen2Tokenizer

PADDING, START_OF_TURN, END_OF_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
"""The first three special tokens of every Qwen2 tokenizer; templates and processors look them up by name."""


def train_tokenizer(
    corpus: Iterable[str], special_tokens: Sequence[str], vocabulary_size: int, **settings: Any
) -> Qwen2Tokenizer:
    """Train a tokenizer of Qwen2's own class.

    Args:
        corpus: texts, each as often as it shall count.
        special_tokens: in the order of the published tokenizers.
        vocabulary_size: upper bound of the number of tokens, special tokens included.
        settings: further arguments of ``Qwen2Tokenizer``, such as the chat template.

    Returns:
        A tokenizer that encodes any text (all 256 bytes are tokens).
    """
    raw = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated", invert=False)
    bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.pre_tokenizer = pre_tokenizers.Sequence([words, bytewise])
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size - len(special_tokens),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    raw.train_from_iterator(corpus, trainer)
    learned = json.loads(raw.to_str())["model"]
    vocabulary = dict(learned["vocab"])
    for token in special_tokens:
        vocabulary[token] = len(vocabulary)
    return Qwen2Tokenizer(
        vocab=vocabulary,
        merges=[tuple(pair) for pair in learned["merges"]],
        unk_token=None,
        eos_token=END_OF_TURN,
        pad_token=PADDING,
        extra_special_tokens=[token for token in special_tokens if token not in (END_OF_TURN, PADDING)],
        **settings,
    )
