"""Builds and loads the tiny Qwen2-Audio: transformers' own classes, small numbers.

The published spectrogram has a frame every 10 ms; here it is every 40 ms, so that 30 s of sound become 187
audio tokens of 160 ms instead of 750.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import (
    Qwen2AudioConfig,
    Qwen2AudioForConditionalGeneration,
    Qwen2AudioProcessor,
    WhisperFeatureExtractor,
)
from transformers.models.qwen2.tokenization_qwen2 import Qwen2Tokenizer

from semiology.backends.embedded.hears import CHECKPOINT
from semiology.tools.embedded_models import training
from semiology.tools.embedded_models.training import END_OF_TURN, PADDING, START_OF_TURN, greedy_decoding

WINDOW_S = 30
HOP = 640
MEL_BANDS = 64
FRAMES = WINDOW_S * 16_000 // HOP
TOKEN_S = 4 * HOP / 16_000
"""Seconds of sound in one audio token: four spectrogram frames."""
WIDTH = 128


def build_extractor() -> WhisperFeatureExtractor:
    """Return the extractor of log-mel spectrograms: (64 bands, 750 frames) for 30 s at 16 kHz."""
    return WhisperFeatureExtractor(
        feature_size=MEL_BANDS,
        hop_length=HOP,
        n_fft=1024,
        chunk_length=WINDOW_S,
        return_attention_mask=True,
    )


def audio_token_count(frames: int) -> int:
    """Return how many audio tokens Qwen2-Audio makes of spectrogram frames: convolution, then pooling."""
    return ((frames - 1) // 2 + 1 - 2) // 2 + 1


def build_config(tokenizer: Qwen2Tokenizer) -> Qwen2AudioConfig:
    """Return the configuration for a tokenizer."""
    text = {
        "model_type": "qwen2",
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": 320,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 4096,
        "initializer_range": 0.05,
        "bos_token_id": None,
        "eos_token_id": tokenizer.convert_tokens_to_ids("<|im_end|>"),
        "pad_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        "tie_word_embeddings": False,
    }
    audio = {
        "model_type": "qwen2_audio_encoder",
        "num_mel_bins": MEL_BANDS,
        "max_source_positions": FRAMES // 2,
        "d_model": WIDTH,
        "encoder_layers": 3,
        "encoder_attention_heads": 4,
        "encoder_ffn_dim": 320,
        "initializer_range": 0.05,
    }
    token = tokenizer.convert_tokens_to_ids("<|AUDIO|>")
    return Qwen2AudioConfig(audio_config=audio, text_config=text, audio_token_index=token)


def build_model(tokenizer: Qwen2Tokenizer, seed: int = 0) -> Qwen2AudioForConditionalGeneration:
    """Return an untrained model in float32 whose weights depend on ``seed`` alone."""
    config = build_config(tokenizer)
    torch.manual_seed(seed)
    model = Qwen2AudioForConditionalGeneration(config).float()
    tower = model.model.audio_tower
    tower.embed_positions.weight.data = _waves(FRAMES // 2, WIDTH)
    model.generation_config = greedy_decoding(config.text_config, max_new_tokens=16)
    return model


def _waves(length: int, width: int) -> Tensor:
    """Return sinusoidal positions (length, width), which the encoder keeps fixed, as Whisper's are."""
    rates = np.exp(-np.log(10_000) * np.arange(width // 2) / (width // 2 - 1))
    angles = np.arange(length)[:, None] * rates
    return torch.from_numpy(np.concatenate([np.sin(angles), np.cos(angles)], axis=1)).float()


def build_processor(tokenizer: Qwen2Tokenizer) -> Qwen2AudioProcessor:
    """Return the processor that turns chat messages and sound into the model's inputs."""
    return Qwen2AudioProcessor(feature_extractor=build_extractor(), tokenizer=tokenizer)


def load_checkpoint(
    directory: Path = CHECKPOINT, dtype: torch.dtype | str = "auto"
) -> tuple[Qwen2AudioForConditionalGeneration, Qwen2AudioProcessor]:
    """Load model and processor from a local folder, never from the network."""
    model = Qwen2AudioForConditionalGeneration.from_pretrained(directory, dtype=dtype, local_files_only=True)
    processor = Qwen2AudioProcessor.from_pretrained(directory, local_files_only=True)
    return model.eval(), processor


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
    return training.train_tokenizer(corpus, SPECIAL_TOKENS, VOCABULARY_SIZE, model_max_length=4096)
