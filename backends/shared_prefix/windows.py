"""All questions about one window: its inputs made once, its media encoded once, one prefix, many suffixes."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from semiology.backends.shared_prefix import prefill
from semiology.backends.shared_prefix.counts import Counts
from semiology.backends.shared_prefix.decoding import (
    DEFAULT_ANSWERS,
    FirstTokenScores,
    Reply,
    decode,
    depends_on_length,
)
from semiology.backends.shared_prefix.inputs import WindowInputs, WindowMedia, shared_length
from semiology.backends.shared_prefix.lanes import Lane, PackedLane, PaddedLane, SequentialLane
from semiology.backends.shared_prefix.loading import Checkpoint
from semiology.backends.shared_prefix.prefill import Prefix, Prepared, SeamError
from semiology.backends.shared_prefix.questions import (
    Answer,
    Medium,
    Question,
    Settings,
    UnansweredError,
    grouped,
)
from semiology.backends.shared_prefix.sampling import Sampling
from semiology.backends.shared_prefix.sharing import choose, cuttable, next_way
from semiology.backends.shared_prefix.walk import Answered

logger = logging.getLogger(__name__)

LEAST_BUDGET = 512
"""Suffix tokens that a packed row may always hold: below this a longer row costs next to nothing."""


@dataclass(frozen=True)
class Options:
    """How an engine works; :class:`semiology.backends.semiology_hf.SemiologyHF` describes each argument.

    ``rows`` is the most questions that a padded batch holds, each with a copy of the prefix.
    """

    sharing: str = "auto"
    token_budget: int | None = None
    rows: int = 8
    score: bool = False
    answers: tuple[str, ...] = DEFAULT_ANSWERS
    system_prompt: str | None = None


@dataclass(frozen=True)
class Asked:
    """A question with the token ids of its complete prompt."""

    question: Question
    ids: list[int]


class WindowAnswerer:
    """Answers the questions about one window after another; ``way`` changes if the model does not allow it."""

    def __init__(self, checkpoint: Checkpoint, sampling: Sampling, options: Options, counts: Counts) -> None:
        self._checkpoint, self._model = checkpoint, checkpoint.model
        self._sampling, self._options, self._counts = sampling, options, counts
        choice = choose(self._model, options.sharing)
        self.way = choice.way
        logger.info("%s: sharing %s (%s)", checkpoint.family.name, choice.way, choice.reason)
        self._scores = FirstTokenScores(checkpoint.tokenizer, options.answers) if options.score else None
        self._trusted = checkpoint.family.verified or options.sharing != "auto"
        self._expansion_checked = False
        self._by_processor = False
        self._most_tokens: int | None = None
        self._encoded: dict[tuple[Medium, ...], Mapping[str, Any]] = {}
        self._seen: tuple[Medium, ...] = ()
        config = self._model.config
        names = ("image_token_id", "video_token_id", "audio_token_id")
        self._media_ids = {getattr(config, name) for name in names if getattr(config, name, None) is not None}
        self._context = getattr(config.get_text_config(), "max_position_embeddings", None)

    def new_window(self) -> None:
        """Forget the encoded media of the window before."""
        self._encoded = {}

    def answer(self, questions: Sequence[Question], media: WindowMedia) -> Iterator[Answered]:
        """Yield the answers to different questions about the same media, in parts as they come.

        Raises:
            UnansweredError: none of those that are still open can be answered.
        """
        inputs = WindowInputs(self._checkpoint, questions[0].text, media, self._sampling)
        self._seen = tuple(medium for medium in questions[0].media if medium.kind != "audio")
        self._counts.processor_runs += bool(inputs.tensors)
        asked = [Asked(question, self._ids(inputs, question)) for question in questions]
        self._check_expansion(inputs, asked)
        fitting = [item for item in asked if self._context is None or len(item.ids) < self._context]
        if len(fitting) < len(asked):
            yield [
                (
                    item.question,
                    self._unanswered(f"{len(item.ids)} tokens exceed the context of {self._context}"),
                )
                for item in asked
                if item not in fitting
            ]
        try:
            for group in grouped(fitting, lambda item: item.question.before).values():
                yield from self._group(group, inputs)
        except torch.OutOfMemoryError:
            self._counts.out_of_memory += 1
            _free()
            raise UnansweredError(
                "the memory does not hold this window; show fewer frames or pixels (fps, max_pixels)"
            ) from None
        finally:
            # Some models keep the offset of their positions as a state, which must not reach the next prompt.
            if hasattr(self._model.base_model, "rope_deltas"):
                self._model.base_model.rope_deltas = None

    def _ids(self, inputs: WindowInputs, question: Question) -> list[int]:
        return inputs.ids_by_processor(question.text) if self._by_processor else inputs.ids(question.text)

    def _check_expansion(self, inputs: WindowInputs, asked: list[Asked]) -> None:
        """Hold the token ids of one more prompt against the full processor, once per run."""
        if self._expansion_checked or len(asked) < 2 or not inputs.tensors:
            return
        self._expansion_checked = True
        self._counts.processor_runs += 1
        if inputs.ids_by_processor(asked[-1].question.text) != asked[-1].ids:
            logger.warning("the processor expands prompts in its own way: it is asked for every prompt")
            self._by_processor = True
            asked[:] = [Asked(item.question, self._ids(inputs, item.question)) for item in asked]

    def _group(self, asked: list[Asked], inputs: WindowInputs) -> Iterator[Answered]:
        """Answer questions that share all that the model reads before the end of the last medium."""
        greedy = [item for item in asked if item.question.settings.greedy or self._scores]
        chosen = [item for item in asked if item not in greedy]
        length = common_length([item.ids for item in greedy])
        past_media = length > 0 and not self._media_ids.intersection(greedy[0].ids[length:])
        if past_media and self._media_ids and self.way in ("packed", "padded", "sequential"):
            yield from self._behind_prefix(greedy, length, inputs)
        elif greedy:
            yield from self._full_prompts(greedy, inputs, self.way if self.way == "none" else "vision")
        if chosen:
            yield from self._full_prompts(chosen, inputs, "none" if self.way == "none" else "vision")

    def _behind_prefix(self, asked: list[Asked], length: int, inputs: WindowInputs) -> Iterator[Answered]:
        longest = max(asked, key=lambda item: len(item.ids))
        try:
            prepared = self._prepare(longest, inputs)
            filled = prefill.fill(self._model, longest.ids, length, prepared) if prepared.greedy else None
        except UnansweredError as error:
            logger.warning("%s: every question gets its full prompt", error)
            self.way, filled = "vision", None
        if filled is None:
            yield from self._full_prompts(asked, inputs, "vision")
            return
        self._counts.prefix_prefills += 1
        self._counts.prefix_tokens += length
        self._counts.cache_hits += len(asked) - 1
        if not self._trusted and not self._agrees(filled, longest, inputs):
            self.way = next_way(self._model, self.way)
            logger.warning(
                "sharing gives other logits than the full prompt; %s is used from here on", self.way
            )
            yield from self._group(asked, inputs)
            return
        self._trusted = True
        for chunk in self._chunks(asked, length):
            yield from self._chunk(chunk, filled, prepared)

    def _prepare(self, item: Asked, inputs: WindowInputs) -> Prepared:
        arguments = prefill.with_encoded(inputs.model_inputs(item.ids), self._encoded.get(self._seen))
        self._counts.vision_runs += prefill.has_pixels(arguments)
        plain = Settings(item.question.settings.max_new_tokens)  # beams would repeat the encoded media
        prepared = prefill.prepare(self._model, arguments, self._generation(plain))
        if prepared.encoded is not None:
            self._encoded[self._seen] = prepared.encoded
        return prepared

    def _generation(self, settings: Settings) -> dict[str, Any]:
        """Return the arguments of ``generate`` as lmms-eval's stock classes give them."""
        tokenizer = self._checkpoint.tokenizer
        sampled = settings.temperature > 0
        arguments = {
            "max_new_tokens": settings.max_new_tokens,
            "do_sample": sampled,
            "temperature": settings.temperature if sampled else None,
            "top_p": settings.top_p if sampled else None,
            "top_k": settings.top_k if sampled else None,
            "num_beams": settings.num_beams,
            "pad_token_id": tokenizer.pad_token_id,
            "use_cache": True,
        }
        if self._checkpoint.family.tokenizer_stop:
            arguments["eos_token_id"] = tokenizer.eos_token_id
        return arguments

    def _agrees(self, prefix: Prefix, item: Asked, inputs: WindowInputs) -> bool:
        """Tell whether a question's first logits behind the prefix equal those of its full prompt."""
        lane = self._lane(prefix)
        shared = lane.start([item.ids[prefix.length :]])[0].float()
        lane.close()
        arguments = prefill.with_encoded(inputs.model_inputs(item.ids), self._encoded.get(self._seen))
        full = prefill.first_logits(
            self._model, arguments, self._generation(item.question.settings), self._counts
        ).to(shared.device)
        tolerance = 1e-3 if self._model.dtype == torch.float32 else 5e-2
        return bool((shared - full).abs().max() <= tolerance * full.abs().max())

    def _lane(self, prefix: Prefix) -> Lane:
        if self.way == "packed":
            return PackedLane(self._model, prefix, self._counts)
        if self.way == "padded":
            return PaddedLane(self._model, prefix, self._counts)
        return SequentialLane(self._model, prefix, self._counts, cuttable(prefix.cache))

    def _chunks(self, asked: list[Asked], length: int) -> Iterator[list[Asked]]:
        """Yield the questions in parts whose suffixes run together within the budget of tokens."""
        if self.way == "padded":  # rows of similar length need little padding
            asked = sorted(asked, key=lambda item: len(item.ids))
        chunk: list[Asked] = []
        for item in asked:
            budget = self._options.token_budget or max(length // 4, LEAST_BUDGET)
            budget = min(budget, self._most_tokens or budget)
            sizes = [len(other.ids) - length for other in (*chunk, item)]
            tokens = max(sizes) * len(sizes) if self.way == "padded" else sum(sizes)
            rows = {"padded": self._options.rows, "sequential": 1}.get(self.way, len(asked))
            if chunk and (tokens > budget or len(sizes) > rows):
                yield chunk
                chunk = []
            chunk.append(item)
        yield chunk

    def _chunk(self, asked: list[Asked], prefix: Prefix, prepared: Prepared) -> Iterator[Answered]:
        """Answer some questions together; if memory runs out, in two halves."""
        suffixes = [item.ids[prefix.length :] for item in asked]
        try:
            answers = self._run(asked, suffixes, prefix, prepared)
        except torch.OutOfMemoryError:
            self._counts.out_of_memory += 1
            answers = None
        if answers is not None:
            self._counts.sharing[self.way] += len(asked)
            yield [(item.question, answer) for item, answer in zip(asked, answers, strict=True)]
            return
        _free()
        if len(asked) == 1:
            yield [(asked[0].question, self._unanswered("the memory does not hold even this question alone"))]
            return
        self._most_tokens = max(1, sum(map(len, suffixes)) // 2)
        logger.warning("out of memory: at most %d suffix tokens run together from here on", self._most_tokens)
        half = len(asked) // 2
        yield from self._chunk(asked[:half], prefix, prepared)
        yield from self._chunk(asked[half:], prefix, prepared)

    @torch.no_grad()
    def _run(
        self, asked: list[Asked], suffixes: list[list[int]], prefix: Prefix, prepared: Prepared
    ) -> list[Answer]:
        lane = self._lane(prefix)
        try:
            if self._scores:
                return [self._scored(row) for row in lane.start(suffixes)]
            replies = [self._reply(item, prepared) for item in asked]
            decode(lane, suffixes, replies, self._counts)
            return [Answer(reply.text, len(reply.tokens)) for reply in replies]
        finally:
            lane.close()

    def _scored(self, logits: torch.Tensor) -> Answer:
        assert self._scores is not None
        scores = self._scores.of(logits)
        self._counts.generated_tokens += 1
        return Answer(max(scores, key=scores.__getitem__), 1, scores)

    def _reply(self, item: Asked, prepared: Prepared) -> Reply:
        processors = prepared.processors
        if depends_on_length(processors):
            ids = torch.tensor([item.ids], device=self._checkpoint.device)
            text_only = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            generation = self._generation(item.question.settings)
            processors = prefill.prepare(self._model, text_only, generation).processors
        tokenizer = self._checkpoint.tokenizer
        return Reply(item.ids, item.question.settings, prepared.stop_ids, processors, tokenizer)

    def _full_prompts(self, asked: list[Asked], inputs: WindowInputs, way: str) -> Iterator[Answered]:
        for item in asked:
            if way == "vision" and self._seen not in self._encoded:
                try:
                    self._prepare(item, inputs)
                except SeamError as error:
                    logger.warning(
                        "%s: every question gets its full prompt and encodes its media anew", error
                    )
                    self.way = way = "none"
            arguments = inputs.model_inputs(item.ids)
            if way == "vision":
                arguments = prefill.with_encoded(arguments, self._encoded.get(self._seen))
            self._counts.vision_runs += prefill.has_pixels(arguments)
            self._counts.sharing[way] += 1
            yield [(item.question, self._full_prompt(item, arguments))]

    def _full_prompt(self, item: Asked, arguments: Mapping[str, Any]) -> Answer:
        settings = item.question.settings
        generation = self._generation(settings)
        run: Callable[..., Any] = prefill.first_logits if self._scores else prefill.generate
        try:
            result = run(self._model, arguments, generation, self._counts)
        except torch.OutOfMemoryError:
            self._counts.out_of_memory += 1
            result = None
        if result is None:
            _free()
            return self._unanswered("the memory does not hold this prompt")
        if self._scores:
            return self._scored(result)
        reply = Reply(item.ids, settings, frozenset(), (), self._checkpoint.tokenizer)
        reply.tokens = result
        return Answer(reply.text, len(result))

    def _unanswered(self, reason: str) -> Answer:
        logger.warning("a question is left unanswered: %s", reason)
        return Answer("", failure=reason)


def common_length(prompts: Sequence[Sequence[int]]) -> int:
    """Return how many first tokens all prompts share, at most one less than the shortest has."""
    if not prompts:
        return 0
    shared = min(shared_length(prompts[0], prompt) for prompt in prompts)
    return min(shared, min(len(prompt) for prompt in prompts) - 1)


def _free() -> None:
    """Give memory back to the device after it ran out."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
