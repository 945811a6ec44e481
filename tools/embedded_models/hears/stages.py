"""Both stages of training: the audio tower learns to notice, the language model to answer what it hears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2AudioForConditionalGeneration, Qwen2AudioProcessor

from semiology.features import AUDIO_FEATURES
from semiology.prompts.library import Prompt, render
from semiology.tools.embedded_models.hears.architecture import audio_token_count
from semiology.tools.embedded_models.hears.questions import Wordings, answer
from semiology.tools.embedded_models.hears.sound_pool import CODES, HEARD, SoundPool
from semiology.tools.embedded_models.packing import IGNORED, Row, block_mask, pack, stack
from semiology.tools.embedded_models.training import Report, Schedule, optimize

_WORDS_LOST = 0.1
_END_OF_SOUND = "<|audio_eos|>"
_SOUND = "<|AUDIO|>"

Block = tuple[list[int], list[int]]


def chat_prompt(processor: Qwen2AudioProcessor, question: str) -> str:
    """Return the templated prompt: one user turn, sound before text, as lmms-eval's qwen2_audio sends it."""
    content = [{"type": "audio", "audio_url": "window.wav"}, {"type": "text", "text": question}]
    turn = [{"role": "user", "content": content}]
    return str(processor.apply_chat_template(turn, add_generation_prompt=True, tokenize=False))


class Clerk:
    """Turns windows and questions into rows of tokens."""

    def __init__(self, processor: Qwen2AudioProcessor) -> None:
        self.tokenizer = processor.tokenizer
        self._processor = processor
        self._questions: dict[str, list[int]] = {}
        head, _, _ = chat_prompt(processor, "").partition(_END_OF_SOUND)
        self._head = head + _END_OF_SOUND
        self._kept_from_loss = set(self.tokenizer.all_special_ids)

    def prefix(self, frames: int) -> list[int]:
        """Return the tokens up to the end of a window's sound."""
        sounding = self._head.replace(_SOUND, _SOUND * audio_token_count(frames))
        return list(self.tokenizer(sounding).input_ids)

    def question(self, text: str) -> list[int]:
        """Return the tokens of a question, from the end of the sound up to the reply."""
        if text not in self._questions:
            tail = chat_prompt(self._processor, text).partition(_END_OF_SOUND)[2]
            self._questions[text] = list(self.tokenizer(tail).input_ids)
        return self._questions[text]

    def block(self, prompt: Prompt, truth: str, rng: np.random.Generator | None = None) -> Block:
        """Return question and reply with its end mark; with ``rng`` some words of the question get lost."""
        asked = self.question(render(prompt))
        if rng is not None and rng.random() < 0.5:
            kept = rng.random(len(asked)) >= _WORDS_LOST
            # The turn's marks stay; only the wording suffers.
            asked = [t for t, keep in zip(asked, kept, strict=True) if keep or t in self._kept_from_loss]
        return asked, list(self.tokenizer(answer(prompt, truth) + "<|im_end|>").input_ids)

    def rows(self, prefixes: Sequence[list[int]], blocks: Sequence[Sequence[Block]]) -> Row:
        """Pack each prefix with its blocks and pad the rows to one length."""
        packed = [
            pack(torch.tensor(prefix), torch.arange(len(prefix))[None], mine)
            for prefix, mine in zip(prefixes, blocks, strict=True)
        ]
        return stack(packed, self.tokenizer.pad_token_id)


def reply_logits(model: Qwen2AudioForConditionalGeneration, rows: Row, tokens: Sequence[Tensor]) -> Tensor:
    """Return the logits where a reply's token is to be predicted, (reply tokens, vocabulary).

    Args:
        rows: packed questions.
        tokens: the tower's tokens of each row's window, (its audio tokens, width).
    """
    embedded = model.get_input_embeddings()(rows.ids)
    sound = model.model.multi_modal_projector(torch.cat(list(tokens)))
    place = (rows.ids == model.config.audio_token_id)[..., None]
    embedded = embedded.masked_scatter(place, sound.to(embedded.dtype))
    hidden = model.model.language_model(
        inputs_embeds=embedded,
        attention_mask={"full_attention": block_mask(rows.block)},
        position_ids=rows.positions[0],
        use_cache=False,
    ).last_hidden_state
    logits: Tensor = model.lm_head(hidden[rows.labels != IGNORED])
    return logits


class AnswerStage:
    """Trains projector and language model on a pool whose windows the tower has heard."""

    def __init__(
        self,
        model: Qwen2AudioForConditionalGeneration,
        processor: Qwen2AudioProcessor,
        wordings: Mapping[str, Wordings],
        pool: SoundPool,
        tokens: Tensor,
    ) -> None:
        self.model, self.clerk, self.pool, self.tokens = model, Clerk(processor), pool, tokens
        self.prompts = [wordings[feature].seen + wordings[feature].extra for feature in AUDIO_FEATURES]
        self._weights = [_wording_weights(wordings[feature]) for feature in AUDIO_FEATURES]
        self._share = _window_shares(pool.truths)

    def batch(self, rng: np.random.Generator, windows: int, questions: int) -> tuple[Row, list[Tensor]]:
        """Draw windows and, for each feature whose truth is known there, wordings to ask in."""
        rows = rng.choice(len(self.pool), windows, p=self._share)
        blocks, prefixes, heard = [], [], []
        for row in rows:
            mine: list[Block] = []
            for column, (prompts, weight) in enumerate(zip(self.prompts, self._weights, strict=True)):
                truth = CODES[self.pool.truths[row, column]]
                picked = rng.choice(len(prompts), min(questions, len(prompts)), replace=False, p=weight)
                mine += [self.clerk.block(prompts[i], truth, rng) for i in picked if truth]
            frames = int(self.pool.frames[row])
            blocks.append(mine)
            prefixes.append(self.clerk.prefix(frames))
            heard.append(self.tokens[row, : audio_token_count(frames)].float())
        return self.clerk.rows(prefixes, blocks), heard

    def train(self, schedule: Schedule, questions: int, say: Report) -> list[float]:
        """Train with ``questions`` wordings per feature and window; return the loss of each step."""
        torch.manual_seed(schedule.seed)
        rng = np.random.default_rng(schedule.seed)
        model = self.model.train()
        parts = (model.model.multi_modal_projector, model.model.language_model, model.lm_head)
        trained = [p for part in parts for p in part.parameters()]

        def loss_of(_: int) -> dict[str, Tensor]:
            rows, heard = self.batch(rng, schedule.batch, questions)
            with torch.autocast("cpu", torch.bfloat16):
                logits = reply_logits(model, rows, heard).float()
            return {"answers": functional.cross_entropy(logits, rows.labels[rows.labels != IGNORED])}

        losses = optimize(trained, schedule, loss_of, say)
        model.eval()
        return losses


def _wording_weights(wordings: Wordings) -> np.ndarray:
    """Return how often each wording, seen and extra, is asked: the reference most, then the library's."""
    weight = np.array([2.0] * len(wordings.seen) + [1.0] * len(wordings.extra))
    weight[0] = 5.0
    share: np.ndarray = weight / weight.sum()
    return share


def _window_shares(truths: np.ndarray) -> np.ndarray:
    """Return how often to draw each window: rare truths more often, and never one without any truth."""
    unknown = CODES.index("")
    weight = np.zeros(len(truths))
    for column in truths.T:
        counts = np.bincount(column, minlength=len(CODES)).clip(1)
        weight += np.where(column == unknown, 0.0, 1 / np.sqrt(counts[column]))
    weight[(truths == unknown).all(axis=1)] = 0.0
    share: np.ndarray = weight / weight.sum()
    return share


_RARITY = 3.0


def hear(model: Qwen2AudioForConditionalGeneration, features: Tensor, frames: Tensor) -> Tensor:
    """Return the tower's tokens (B, tokens, width), padding masked as in the model's own forward pass.

    Args:
        features: (B, bands, frames) spectrograms.
        frames: (B,) how many frames hold sound.
    """
    places = (frames - 1) // 2 + 1
    positions = torch.arange(features.shape[-1] // 2)
    mask = (positions[None] < places[:, None])[:, None, None].expand(-1, 1, len(positions), -1)
    tokens: Tensor = model.model.audio_tower(features, attention_mask=mask).last_hidden_state
    return tokens


def batch_of(pool: SoundPool, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return spectrograms and frame counts of some windows."""
    return torch.from_numpy(pool.features[rows]).float(), torch.from_numpy(pool.frames[rows])


def train_tower(
    model: Qwen2AudioForConditionalGeneration,
    pool: SoundPool,
    schedule: Schedule,
    say: Report,
) -> list[float]:
    """Train the audio tower with a throw-away head that tells what goes on at each token.

    Returns:
        The loss of each step.
    """
    torch.manual_seed(schedule.seed)
    rng = np.random.default_rng(schedule.seed)
    tower = model.model.audio_tower.train()
    head = nn.Linear(tower.config.d_model, len(HEARD))
    trained = [p for p in [*tower.parameters(), *head.parameters()] if p.requires_grad]
    rarity = torch.full((len(HEARD),), _RARITY)

    def loss_of(_: int) -> dict[str, Tensor]:
        rows = rng.choice(len(pool), schedule.batch, replace=len(pool) < schedule.batch)
        with torch.autocast("cpu", torch.bfloat16):
            logits = head(hear(model, *batch_of(pool, rows))).float()
        going_on = torch.from_numpy(pool.moments[rows]).float()
        loss = functional.binary_cross_entropy_with_logits
        return {"moments": loss(logits, going_on, pos_weight=rarity)}

    losses = optimize(trained, schedule, loss_of, say)
    tower.eval()
    return losses


@torch.no_grad()
def hear_all(model: Qwen2AudioForConditionalGeneration, pool: SoundPool, batch: int = 32) -> Tensor:
    """Return the tower's tokens of every window, (N, tokens, width) in float16."""
    parts = []
    for first in range(0, len(pool), batch):
        rows = np.arange(first, min(first + batch, len(pool)))
        with torch.autocast("cpu", torch.bfloat16):
            parts.append(hear(model, *batch_of(pool, rows)).half())
    return torch.cat(parts)
