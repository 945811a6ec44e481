"""Byte-level BPE tokenizer with Qwen2-Audio's special tokens, trained on the questions of the library."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX, Qwen2Tokenizer

# Names as in the published Qwen2-Audio tokenizer; template and processor look them up by name.
SPECIAL_TOKENS: tuple[str, ...] = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|AUDIO|>",
    "<|audio_bos|>",
    "<|audio_eos|>",
)
PADDING, END_OF_TURN = SPECIAL_TOKENS[0], SPECIAL_TOKENS[2]
VOCABULARY_SIZE = 900
# What every prompt and answer holds; often enough to become one token per word.
_FRAME_WORDS = ("yes", "no", "NA", "system", "user", "assistant", "You are a helpful assistant.", "Audio 1:")


def train_tokenizer(texts: Iterable[str], vocabulary_size: int = VOCABULARY_SIZE) -> Qwen2Tokenizer:
    """Train a tokenizer of Qwen2's own class on the given questions.

    Returns:
        A tokenizer that encodes any text (all 256 bytes are tokens); yes, no and NA are one token each.
    """
    raw = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated", invert=False)
    bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.pre_tokenizer = pre_tokenizers.Sequence([words, bytewise])
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size - len(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    raw.train_from_iterator([*texts, *(_FRAME_WORDS * 1000)], trainer)
    learned = json.loads(raw.to_str())["model"]
    vocabulary = dict(learned["vocab"])
    for token in SPECIAL_TOKENS:
        vocabulary[token] = len(vocabulary)
    return Qwen2Tokenizer(
        vocab=vocabulary,
        merges=[tuple(pair) for pair in learned["merges"]],
        unk_token=None,
        eos_token=END_OF_TURN,
        pad_token=PADDING,
        extra_special_tokens=[token for token in SPECIAL_TOKENS if token not in (END_OF_TURN, PADDING)],
        model_max_length=4096,
    )
