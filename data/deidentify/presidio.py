"""Microsoft's Presidio as a second reader of free text, with language models that lie on this machine.

Optional: ``pip install 'semiology-eval[deidentify]'`` and one of spaCy's models, such as ``en_core_web_lg``. Nothing
is downloaded here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from semiology.data.deidentify.scrubbing import Findings

KINDS = {
    "PERSON": "name", "LOCATION": "place", "ORGANIZATION": "place", "NRP": "name", "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone", "URL": "url", "IP_ADDRESS": "url", "US_SSN": "number", "IBAN_CODE": "number",
    "MEDICAL_LICENSE": "number",
}  # fmt: skip
"""Entities that are replaced, and by what; dates and numbers are ours, which leave times of features alone."""
_LEAST_SCORE = 0.4


class PresidioError(ValueError):
    """Presidio or its language model is not on this machine; the message says how to install it."""


def presidio(model: str, language: str = "en") -> Findings:
    """Return Presidio's findings as a function for `semiology.data.deidentify.scrubbing.Scrubber`.

    Args:
        model: name of a spaCy model on this machine.
        language: two letters; that of the model.

    Raises:
        PresidioError: something is not installed.
    """
    try:
        import spacy
        import tldextract.tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider
    except ImportError:
        raise PresidioError("--presidio needs Presidio: pip install 'semiology-eval[deidentify]'") from None
    if not spacy.util.is_package(model):
        raise PresidioError(f"--presidio {model}: spaCy has no such model here → pip install it first")
    # Presidio's reader of e-mail addresses would fetch the list of domains from a public server; one is packaged.
    tldextract.tldextract.TLD_EXTRACTOR.suffix_list_urls = ()
    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": language, "model_name": model}]}
    engine = NlpEngineProvider(nlp_configuration=configuration).create_engine()
    return findings_of(AnalyzerEngine(nlp_engine=engine, supported_languages=[language]), language)


def findings_of(analyzer: Any, language: str) -> Findings:
    """Return an analyser's findings above its threshold, without overlaps and without our own ``[marks]``."""

    def find(line: str) -> Iterable[tuple[int, int, str]]:
        found = analyzer.analyze(
            text=line, language=language, entities=list(KINDS), score_threshold=_LEAST_SCORE
        )
        end = 0
        for each in sorted(found, key=lambda item: (item.start, -item.end)):
            if each.start >= end and not {"[", "]"} & set(line[max(0, each.start - 1) : each.end + 1]):
                end = each.end
                yield each.start, each.end, KINDS[each.entity_type]

    return find
