"""Chat messages with a video to token rows, and the language model run over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from semiology.tools.embedded_models import packing
from semiology.tools.embedded_models.packing import IGNORED, Row, block_mask


@dataclass(frozen=True)
class Prefix:
    """Tokens of a prompt up to the end of the video.

    Attributes:
        ids: (P,) token ids.
        positions: (3, P) temporal, height and width positions.
        video: (P,) True where a visual token stands.
    """

    ids: Tensor
    positions: Tensor
    video: Tensor


@dataclass(frozen=True)
class Block:
    """One encoded question with its answer.

    Attributes:
        question: token ids up to the assistant's turn.
        answer: token ids of the answer with the end mark.
        decision: place in the answer where yes and no part.
        yes_no: the two tokens that may stand there, feature there or not.
    """

    question: list[int]
    answer: list[int]
    decision: int
    yes_no: tuple[int, int]


def user_turn(question: str, video: Any = "video") -> list[dict[str, Any]]:
    """Return the chat messages of one question: one user turn, the video first, then the text."""
    content = [{"type": "video", "video": video}, {"type": "text", "text": question}]
    return [{"role": "user", "content": content}]


def prompt_parts(processor: Qwen2_5_VLProcessor, question: str) -> tuple[str, str]:
    """Split the templated prompt of a question after the end of the video."""
    text = processor.apply_chat_template(user_turn(question), tokenize=False, add_generation_prompt=True)
    head, marker, tail = text.partition("<|vision_end|>")
    return head + marker, tail


def make_prefix(
    model: Qwen2_5_VLForConditionalGeneration,
    processor: Qwen2_5_VLProcessor,
    grid: tuple[int, int, int],
    seconds_per_grid: float = 1.0,
) -> Prefix:
    """Build the shared prefix for a video of ``grid`` (frame pairs, patch rows, patch columns).

    ``seconds_per_grid`` is the time between frame pairs in seconds (2 / sampled fps).
    """
    merged = processor.video_processor.merge_size**2
    head, _ = prompt_parts(processor, "")
    count = grid[0] * grid[1] * grid[2] // merged
    ids = torch.tensor(processor.tokenizer(head.replace("<|video_pad|>", "<|video_pad|>" * count)).input_ids)
    video = ids == model.config.video_token_id
    positions, _ = model.model.get_rope_index(
        ids[None],
        mm_token_type_ids=(video * 2)[None].int(),
        video_grid_thw=torch.tensor([grid]),
        second_per_grid_ts=torch.tensor([seconds_per_grid]),
    )
    return Prefix(ids, positions[:, 0], video)


def encode_block(
    processor: Qwen2_5_VLProcessor, question: str, replies: tuple[str, str], present: bool
) -> Block:
    """Encode a question and that one of its two ``replies`` (feature present, feature absent) which is true.

    Raises:
        ValueError: the replies have the same tokens.
    """
    _, tail = prompt_parts(processor, question)
    yes, no = (processor.tokenizer(reply + "<|im_end|>").input_ids for reply in replies)
    decision = next((i for i, (y, n) in enumerate(zip(yes, no, strict=False)) if y != n), None)
    if decision is None:
        raise ValueError(f"the replies {replies} cannot be told apart")
    ids = processor.tokenizer(tail).input_ids
    return Block(ids, yes if present else no, decision, (yes[decision], no[decision]))


def pack(prefix: Prefix, blocks: Sequence[Block]) -> Row:
    """Pack a prefix and encoded blocks into one row."""
    return packing.pack(prefix.ids, prefix.positions, [(block.question, block.answer) for block in blocks])


def decode_layers(
    model: Qwen2_5_VLForConditionalGeneration,
    embeddings: Tensor,
    positions: Tensor,
    mask: Tensor | None,
    depth: int | None = None,
) -> list[Tensor]:
    """Run the first ``depth`` layers of the language model and return the hidden states after each.

    Args:
        embeddings: (B, L, H) input embeddings, visual tokens already in place.
        positions: (3, B, L) positions.
        mask: (1 or B, 1, L, L) boolean attention mask; causal where None.
        depth: number of layers; all where omitted, and then the last state has passed the final norm.
    """
    language = model.model.language_model
    rotary = language.rotary_emb(embeddings, positions)
    states, hidden = [], embeddings
    for layer in language.layers[:depth]:
        hidden = layer(hidden, attention_mask=mask, position_embeddings=rotary)
        states.append(hidden)
    if depth is None:
        states[-1] = language.norm(states[-1])
    return states


def embed(model: Qwen2_5_VLForConditionalGeneration, ids: Tensor, video: Tensor, tokens: Tensor) -> Tensor:
    """Return (B, L, H) embeddings of ``ids`` with visual ``tokens`` (B, V, H) where ``video`` is True."""
    embedded = model.get_input_embeddings()(ids)
    place = torch.zeros(ids.shape[1], dtype=torch.bool)
    place[: len(video)] = video
    filled: Tensor = embedded.masked_scatter(place[None, :, None], tokens.to(embedded.dtype))
    return filled


def answer_logits(
    model: Qwen2_5_VLForConditionalGeneration,
    prefix: Prefix,
    batch: Row,
    tokens: Tensor,
    probe_depth: int = 0,
) -> tuple[Tensor, Tensor]:
    """Return the logits at the answers' tokens of a stacked batch, and an earlier state at the same places.

    The prefix runs without gradient, but for its last token: what the questions must learn is to read it.
    That saves more than half of the work; the watching losses keep the prefix itself in training.

    Returns:
        (tokens, vocabulary) logits, and the (tokens, hidden) states after ``probe_depth`` layers.
    """
    shared = len(prefix.ids) - 1
    embedded = embed(model, batch.ids, prefix.video, tokens)
    language = model.model.language_model
    cosines, sines = language.rotary_emb(embedded, batch.positions)
    cache = DynamicCache(config=model.config.text_config)
    with torch.no_grad():
        hidden = embedded[:, :shared]
        for layer in language.layers:
            rotary = (cosines[:, :shared], sines[:, :shared])
            hidden = layer(hidden, attention_mask=None, position_embeddings=rotary, past_key_values=cache)
    asked = batch.labels[:, shared:] != IGNORED
    hidden = embedded[:, shared:]
    probe = hidden[asked]
    mask = block_mask(batch.block)[:, :, shared:]
    for depth, layer in enumerate(language.layers, start=1):
        rotary = (cosines[:, shared:], sines[:, shared:])
        hidden = layer(hidden, attention_mask=mask, position_embeddings=rotary, past_key_values=cache)
        if depth == probe_depth:
            probe = hidden[asked]
    logits: Tensor = model.lm_head(language.norm(hidden)[asked])
    return logits, probe
