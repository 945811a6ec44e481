"""What the model said about each recording under each wording: the one record that a search reads.

GEPA is told one number per recording; everything else (objective, feedback, selection, lineage, test) looks
the answers up here.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semiology.metrics.scores.aggregation import FIRST_SEGMENT_ONLY, any_yes
from semiology.optimization.proposers.wording_text import OWN_FORMAT, question_text
from semiology.optimization.search.answerers import Answerer, WindowQuestion
from semiology.optimization.search.examples import Example
from semiology.tasks.answers.parse import parse_answer


@dataclass(frozen=True)
class Said:
    """What the model said about one recording: the answer by any-yes, and every window's reply."""

    answer: str
    replies: tuple[str, ...]


class AnswerBook:
    """Replies by wording and recording, for one feature; asks the model for what is missing.

    Args:
        answerer: the model, usually behind a journal.
        default_format: answer format of wordings that name none.
    """

    def __init__(self, answerer: Answerer, default_format: str = OWN_FORMAT) -> None:
        self._answerer, self.default_format = answerer, default_format
        self._replies: dict[WindowQuestion, str] = {}
        self._texts: dict[tuple[str, str], str] = {}

    def text(self, instruction: str, feature: str) -> str:
        """Return the full question that a wording is sent as."""
        known = self._texts.get((instruction, feature))
        if known is None:
            known = question_text(feature, instruction, self.default_format)
            self._texts[instruction, feature] = known
        return known

    def questions(self, instruction: str, example: Example) -> list[WindowQuestion]:
        """Return the questions that one recording takes under one wording."""
        text = self.text(instruction, example.feature)
        first_only = example.feature in FIRST_SEGMENT_ONLY
        segments = [number for number in example.segments if not first_only or number == 0]
        return [WindowQuestion(example.video_id, number, example.feature, text) for number in segments]

    def ask(self, pairs: Iterable[tuple[str, Example]]) -> None:
        """Ask the model, in one call, whatever is not known yet about wordings and recordings.

        Raises:
            SearchError: the model gave no reply.
        """
        wanted = [each for instruction, example in pairs for each in self.questions(instruction, example)]
        missing = [each for each in dict.fromkeys(wanted) if each not in self._replies]
        if missing:
            self._replies.update(zip(missing, self._answerer.answer(missing), strict=True))

    def reply(self, question: WindowQuestion) -> str:
        """Return the reply to one question; asks the model if it is not known."""
        if question not in self._replies:
            (self._replies[question],) = self._answerer.answer([question])
        return self._replies[question]

    def said(self, instruction: str, example: Example) -> Said:
        """Return what the model said about one recording under one wording."""
        replies = tuple(self.reply(question) for question in self.questions(instruction, example))
        return Said(recording_answer(replies), replies)

    def answers(self, instruction: str, examples: Sequence[Example]) -> dict[str, str]:
        """Return the recording answers under one wording by video id."""
        self.ask((instruction, example) for example in examples)
        return {example.video_id: self.said(instruction, example).answer for example in examples}


def recording_answer(replies: Sequence[str]) -> str:
    """Return the recording's answer for its windows' replies; without any window it is unparsed."""
    return _merged(tuple(parse_answer(reply) for reply in replies)) if replies else "unparsed"


@functools.lru_cache(maxsize=4096)
def _merged(answers: tuple[str, ...]) -> str:
    return any_yes(answers)
