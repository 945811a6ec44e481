"""Who reads the texts that S3 tasks 2 and 6 compare: the offline rules, or a judge that has read them before.

A text and its reference are always read by the same reader: a judge and the rules do not name findings in
quite the same way. A pair with a text that the judge did not read is read by the rules, and counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from semiology.metrics.s3.text.justification_rules import READERS, extract_answers
from semiology.metrics.s3.text.report_rules import extract_findings
from semiology.metrics.s3.text.seizure_rqi import ReportFindings

Answers = tuple[str | None, ...]
"""Answers to the questions of a feature, the core manifestation first; None where the text does not say."""


class ReportPair(NamedTuple):
    """Findings of a report and of its reference, read by one reader."""

    report: ReportFindings
    reference: ReportFindings
    judged: bool


class AnswerPair(NamedTuple):
    """Answers of a justification and of its reference, read by one reader."""

    said: Answers
    reference: Answers
    judged: bool


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal digits: the name under which a reading is kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class TextReader:
    """Reads pairs of texts: by what the ``judge`` read before, if there is one, or else by the rules.

    ``answers`` holds what it read from justifications, by feature and `text_digest`, ``findings`` what it read from
    reports, by `text_digest`; their length is taken from the text.
    """

    judge: str | None = None
    answers: Mapping[tuple[str, str], Answers] = field(default_factory=dict)
    findings: Mapping[str, ReportFindings] = field(default_factory=dict)

    def read_reports(self, texts: Sequence[str], references: Sequence[str]) -> list[ReportPair]:
        """Return the findings of each report and its reference; an empty text has none.

        Raises:
            ValueError: the lengths differ.
        """
        pairs = []
        for text, reference in zip(texts, references, strict=True):
            said, known = self._judged_findings(text), self._judged_findings(reference)
            judged = said is not None and known is not None
            if said is None or known is None:
                said, known = (
                    extract_findings(one) if one else ReportFindings() for one in (text, reference)
                )
            pairs.append(ReportPair(said, known, judged))
        return pairs

    def read_justification(self, feature: str, text: str, reference: str) -> AnswerPair:
        """Return the answers to the questions of a feature in a justification and in its reference.

        Raises:
            KeyError: no rules read the justifications of ``feature``.
        """
        said, known = self._judged_answers(feature, text), self._judged_answers(feature, reference)
        if said is not None and known is not None:
            return AnswerPair(said, known, judged=True)
        return AnswerPair(extract_answers(feature, text), extract_answers(feature, reference), judged=False)

    def read_reference(self, feature: str, reference: str) -> Answers:
        """Return the answers to the questions of a feature in a reference alone: the judge's, or else the rules'.

        Raises:
            KeyError: no rules read the justifications of ``feature``.
        """
        known = self._judged_answers(feature, reference)
        return extract_answers(feature, reference) if known is None else known

    def _judged_findings(self, text: str) -> ReportFindings | None:
        if self.judge is None:
            return None
        if not text:
            return ReportFindings()
        found = self.findings.get(text_digest(text))
        return None if found is None else replace(found, words=len(text.split()))

    def _judged_answers(self, feature: str, text: str) -> Answers | None:
        if self.judge is None or feature not in READERS:
            return None
        if not text:
            return (None,) * len(READERS[feature])
        found = self.answers.get((feature, text_digest(text)))
        return found if found is not None and len(found) == len(READERS[feature]) else None


RULES = TextReader()
"""The offline rules, the default."""
