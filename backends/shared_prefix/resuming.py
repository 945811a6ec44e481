"""What an engine is told by the journal, and what it tells the journal and the person who waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from semiology.backends import journal as journal_
from semiology.backends.journal import Journal, MediumKey, answer_key
from semiology.backends.shared_prefix.loading import Checkpoint
from semiology.backends.shared_prefix.questions import Answer, Medium, Question
from semiology.data.cache import cache_directory, content_digest
from semiology.render.progress import RunProgress

DEFAULT_JOURNAL = "auto"

_DIGEST = "sha256:"


@contextmanager
def resumed(
    journal: str, stamp: Callable[[Path], str], setup: Mapping[str, Any], *, questions: int, rank: int = 0
) -> Iterator[Resuming]:
    """Open the journal and show progress for one run of an engine with so many questions.

    ``journal`` is ``auto`` for the folder ``journal`` where ``SEMIOLOGY_CACHE`` is, another folder, or ``none`` to
    ask everything afresh. ``stamp`` tells what identifies the weights, given a folder that remembers digests; it is
    called where there is a journal. For ``setup`` see `Resuming`.

    Raises:
        JournalError: the journal cannot be written.
    """
    cache, opened, model = cache_directory(), None, ""
    with ExitStack() as running:
        if journal != "none":
            folder = None if journal == DEFAULT_JOURNAL else Path(journal)
            opened = running.enter_context(Journal(folder))
        progress = running.enter_context(RunProgress(questions, rank=rank))
        if opened is not None:  # an empty journal is one too
            model = stamp(cache)
        yield Resuming(opened, model=model, setup=setup, cache=cache, progress=progress)


def numerics(checkpoint: Checkpoint) -> dict[str, str]:
    """Return what else than weights and settings moves the last digits of a logit."""
    import torch
    import transformers

    return {
        "dtype": str(checkpoint.model.dtype),
        "device": checkpoint.device.type,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


class Resuming:
    """The hooks of an engine: answers from earlier runs, answers to keep, progress to show.

    Only greedy answers are kept and given: a sampled one is drawn afresh each time. What could not be answered is
    not kept, so that the next run asks it again. Without a journal none is kept or given.

    Args:
        model: what identifies the weights and the number format (`semiology.backends.checkpoint_stamp`).
        setup: whatever else changes answers: sampling, scores. Anything that JSON can hold.
        cache: folder that remembers the digests of files.
    """

    def __init__(
        self,
        journal: Journal | None,
        *,
        model: str,
        setup: Mapping[str, Any],
        cache: Path,
        progress: RunProgress | None = None,
    ) -> None:
        self._journal, self._model, self._setup = journal, model, dict(setup)
        self._cache, self._progress = cache, progress
        self._keys: dict[int, str | None] = {}
        self._open: Counter[tuple[Medium, ...]] = Counter()

    def summary(self) -> str:
        """Return in one line what the journal holds and gave."""
        if self._journal is None:
            return "no journal"
        found = self._journal.summary([key for key in self._keys.values() if key is not None])
        return (
            f"journal {self._journal.folder}: {found.answers} answers, {found.stale} of them to other "
            f"questions, {found.hits} given; {found.bytes / 1e6:.1f} MB in {found.files} files, "
            f"{found.damaged_lines} damaged lines"
        )

    def plan(self, questions: Iterable[Question]) -> None:
        """Take note of all questions of a run whose messages were read, to tell when a segment is done."""
        self._keys = {}
        self._open = Counter(question.media for question in questions)
        if self._progress is not None:
            self._progress.expect(len(self._open))

    def already(self, question: Question) -> Answer | None:
        """Return the answer of an earlier run, or None."""
        key = self._keys[question.number] = self._key(question)
        found = self._journal.get(key) if self._journal is not None and key is not None else None
        if found is None:
            return None
        self._answered([question], from_journal=True)
        extra = found.extra
        return Answer(found.text, int(extra.get("tokens", 0)), extra.get("scores"))

    def on_answers(self, answered: Sequence[tuple[Question, Answer]]) -> None:
        """Keep a group of new answers on the disk, then count them.

        Raises:
            JournalError: they could not be written.
        """
        kept = []
        for question, answer in answered:
            key = self._keys.get(question.number)
            if key is not None and answer.failure is None:
                scores = None if answer.scores is None else dict(answer.scores)
                extra = {"tokens": answer.tokens, "scores": scores}
                kept.append(journal_.Answer(key, answer.text, extra))
        if self._journal is not None:
            self._journal.put_many(kept)
        self._answered([question for question, answer in answered if answer.failure is None])
        self._answered([question for question, answer in answered if answer.failure is not None], failed=True)

    def remark(self, words: str) -> None:
        """Show a few words beside the progress."""
        if self._progress is not None:
            self._progress.remark(words)

    def _key(self, question: Question) -> str | None:
        if self._journal is None or not question.settings.greedy:
            return None
        media: list[MediumKey] = []
        for medium in question.media:
            digest = medium.source
            if not digest.startswith(_DIGEST):
                try:
                    digest = content_digest(Path(medium.source), self._cache)
                except OSError:  # the engine says what is wrong with the file
                    return None
            media.append((medium.kind, digest.removeprefix(_DIGEST), medium.start_s, medium.end_s))
        settings = question.settings
        fixed = [medium.frames for medium in question.media if medium.frames is not None]
        return answer_key(
            prompt=question.text,
            media=media,
            sampling={**self._setup, "frames": fixed} if fixed else self._setup,
            generation={"max_new_tokens": settings.max_new_tokens, "until": list(settings.until)},
            model=self._model,
        )

    def _answered(
        self, questions: Sequence[Question], from_journal: bool = False, failed: bool = False
    ) -> None:
        if self._progress is None or not questions:
            return
        self._progress.answered(len(questions), from_journal=from_journal, failed=failed)
        for question in questions:
            self._open[question.media] -= 1
            if self._open[question.media] == 0:
                self._progress.segment_done()
