"""The language model learns to watch and to answer, on the frozen tower's tokens.

Everything is seeded; a stage reads the weights that the stage before it wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from semiology.features import VISUAL_FEATURES
from semiology.tools.embedded_models.packing import stack
from semiology.tools.embedded_models.sees import packing
from semiology.tools.embedded_models.sees.clip_pool import Pool
from semiology.tools.embedded_models.sees.questions import Question, QuestionSource, balanced_features
from semiology.tools.embedded_models.training import Report, Schedule, optimize

WATCH_LAYER = 3
TOPIC_LAYER = 2
"""After so many layers the last token of a question must know what is asked."""
FORM_WEIGHT = 0.1
"""Weight of an answer's other tokens (end mark, JSON) against the one that decides."""


class Questioner:
    """Turns questions into packed rows behind a video of any length."""

    def __init__(self, model: Qwen2_5_VLForConditionalGeneration, processor: Qwen2_5_VLProcessor) -> None:
        """Keep what encoding needs; encoded questions and prefixes are kept too."""
        self.model, self.processor = model, processor
        self.pad = model.config.text_config.pad_token_id
        self.prefixes: dict[int, packing.Prefix] = {}
        self.block = lru_cache(maxsize=50_000)(self._block)

    def prefix(self, pairs: int, grid: tuple[int, int]) -> packing.Prefix:
        """Return the prefix of a video of that many frame pairs."""
        if pairs not in self.prefixes:
            self.prefixes[pairs] = packing.make_prefix(self.model, self.processor, (pairs, *grid), 1.001)
        return self.prefixes[pairs]

    def _block(self, question: Question, present: bool) -> packing.Block:
        return packing.encode_block(self.processor, question.text, question.replies, present)


class Watcher(nn.Module):
    """Training-only heads: features per frame pair and window (third layer), topic of a question (second)."""

    def __init__(self, width: int) -> None:
        """Make the heads for hidden states of ``width``."""
        super().__init__()
        self.moment = nn.Linear(width, len(VISUAL_FEATURES))
        self.window = nn.Linear(width, len(VISUAL_FEATURES))
        self.topic = nn.Linear(width, len(VISUAL_FEATURES) + 1)

    def losses(self, state: Tensor, video: Tensor, pairs: Tensor, window: Tensor) -> dict[str, Tensor]:
        """Return both losses from hidden states (B, L, H); labels are (B, pairs, F) and (B, F)."""
        end = int(video.nonzero()[-1])
        per_pair = int(video.sum()) // pairs.shape[1]
        last = torch.arange(per_pair - 1, int(video.sum()), per_pair) + int(video.nonzero()[0])
        bce = functional.binary_cross_entropy_with_logits
        return {
            "moment": bce(self.moment(state[:, last]).float(), pairs.float()),
            "window": bce(self.window(state[:, end + 1]).float(), window.float()),
        }

    def topic_loss(self, state: Tensor, features: Tensor, negated: Tensor) -> Tensor:
        """Return how badly the states (N, H) at the questions' ends tell which feature is asked, and how."""
        guess = self.topic(state)
        turned = functional.binary_cross_entropy_with_logits(guess[:, -1], negated.float())
        return functional.cross_entropy(guess[:, :-1], features) + turned


def batches(pool: Pool, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield indices of windows with equally many frames, for ever, every window about equally often."""
    lengths = pool.counts
    while True:
        order = rng.permutation(len(pool))
        groups = [order[lengths[order] == n] for n in np.unique(lengths)]
        parts = [g[i : i + size] for g in groups for i in range(0, len(g), size)]
        for index in rng.permutation(len(parts)):
            yield parts[index]


@dataclass(frozen=True)
class Asking:
    """How the language stage asks.

    Attributes:
        questions: per window and step; 0 trains the watching heads alone.
        reference: share of questions in the reference wording.
        balance: see :func:`balanced_features`.
        shift: (18,) added to the logit of "present" while training, to move the point where it wins.
        watch_every: with questions, every how many steps the watching heads are trained instead.
        noise: standard deviation of noise on the visual tokens, relative to theirs.
    """

    questions: int
    reference: float = 1.0
    balance: float = 1.0
    shift: np.ndarray | None = None
    watch_every: int = 3
    noise: float = 0.05


class LanguageStage:
    """Trains the language model on cached visual tokens: to watch, or to answer with watching in between."""

    def __init__(
        self,
        questioner: Questioner,
        source: QuestionSource,
        watcher: Watcher,
        pool: Pool,
        tokens: list[Tensor],
    ) -> None:
        """Keep what every stage shares."""
        self.model, self.questioner, self.watcher = questioner.model, questioner, watcher
        self.source, self.pool, self.tokens = source, pool, tokens
        self.spread = float(torch.cat(tokens[:20]).float().std())

    def train(self, schedule: Schedule, asking: Asking, report: Report) -> list[float]:
        """Run one stage; return the loss of every step."""
        rng = np.random.default_rng(schedule.seed)
        torch.manual_seed(schedule.seed)
        source = batches(self.pool, schedule.batch, rng)
        parameters = [*self.model.model.language_model.parameters(), *self.watcher.parameters()]

        def loss_of(step: int) -> dict[str, Tensor]:
            chosen = next(source)
            visual = torch.stack([self.tokens[i] for i in chosen]).float()
            visual = visual + asking.noise * self.spread * torch.randn_like(visual)
            if asking.questions == 0 or step % asking.watch_every == asking.watch_every - 1:
                return self.watch(chosen, visual)
            return self.answer(chosen, visual, asking, rng)

        return optimize(parameters, schedule, loss_of, report)

    def watch(self, chosen: np.ndarray, visual: Tensor) -> dict[str, Tensor]:
        """Return the losses of the watching heads on some windows."""
        prefix = self.questioner.prefix(int(self.pool.counts[chosen[0]]) // 2, self.pool.grid)
        embedded = packing.embed(self.model, prefix.ids.expand(len(chosen), -1), prefix.video, visual)
        positions = prefix.positions[:, None].expand(-1, len(chosen), -1)
        state = packing.decode_layers(self.model, embedded, positions, None, WATCH_LAYER)[-1]
        pairs = torch.from_numpy(np.stack([self.pool.pair_labels[i] for i in chosen]))
        return self.watcher.losses(
            state, prefix.video, pairs, torch.from_numpy(self.pool.window_labels[chosen])
        )

    def answer(
        self, chosen: np.ndarray, visual: Tensor, asking: Asking, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """Return the losses of the answers to some questions about some windows."""
        prefix = self.questioner.prefix(int(self.pool.counts[chosen[0]]) // 2, self.pool.grid)
        labels = self.pool.window_labels[chosen]
        asked = balanced_features(labels, self.pool.prevalence, asking.questions, rng, asking.balance)
        rows, blocks, negated = [], [], []
        for features, truth in zip(asked, labels, strict=True):
            own = []
            for feature in features:
                known = rng.random() < asking.reference
                question = (
                    self.source.reference(int(feature)) if known else self.source.draw(int(feature), rng)
                )
                own.append(self.questioner.block(question, bool(truth[feature])))
                negated.append(question.negated)
            rows.append(packing.pack(prefix, own))
            blocks += own
        batch = stack(rows, self.questioner.pad)
        logits, state = packing.answer_logits(self.model, prefix, batch, visual, TOPIC_LAYER)
        shift = None if asking.shift is None else asking.shift[asked.ravel()]
        first = np.cumsum([0, *[len(b.answer) for b in blocks[:-1]]])
        topic = self.watcher.topic_loss(
            state[torch.from_numpy(first)], torch.from_numpy(asked.ravel()), torch.tensor(negated)
        )
        return answer_losses(logits, blocks, shift) | {"topic": 0.3 * topic}


def answer_losses(
    logits: Tensor, blocks: Sequence[packing.Block], shift: np.ndarray | None
) -> dict[str, Tensor]:
    """Return the cross-entropy of the deciding tokens, and (lightly weighted) of all others.

    Args:
        logits: (tokens of all answers, vocabulary).
        blocks: the questions, in the order of their answers' tokens.
        shift: (questions,) added to the logit of "present": what the model learns is lower by as much.
    """
    starts = np.cumsum([0, *[len(b.answer) for b in blocks[:-1]]])
    place = torch.from_numpy(starts + np.array([b.decision for b in blocks]))
    labels = torch.tensor([token for b in blocks for token in b.answer])
    if shift is not None:
        moved = torch.zeros_like(logits)
        moved[place, torch.tensor([b.yes_no[0] for b in blocks])] = torch.from_numpy(shift).float()
        logits = logits + moved
    each = functional.cross_entropy(logits, labels, reduction="none")
    other = torch.ones(len(labels), dtype=torch.bool)
    other[place] = False
    return {"answer": each[place].mean(), "form": FORM_WEIGHT * each[other].mean()}
