"""From a reply to the record of one question, and the name under which every other metric knows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from semiology.metrics.s3.recording_answers import AnswerKind
from semiology.tasks.answers.parse import Answer, parse_reply
from semiology.tasks.messages import media_form
from semiology.tasks.s3.answers.fields import parse_report
from semiology.tasks.s3.answers.labels import UNPARSED, parse_diagnosis, parse_region, parse_side
from semiology.tasks.s3.answers.sequences import parse_sequence
from semiology.tasks.s3.answers.times import parse_timestamp
from semiology.tasks.s3.task_list import MEASURES, TASKS
from semiology.tasks.scores import OPPOSITE
from semiology.tasks.settings import sound_override

RECORD = "s3"
"""Name of the metric that carries the whole record into the sample file."""

RECORD_FIELDS = (
    "task", "feature", "enhancement", "prompt_id", "prompt_hash", "video_id", "patient_id", "segment",
    "start_s", "end_s", "clip_form", "truth",
)  # fmt: skip
KIND_FIELDS: Mapping[AnswerKind, tuple[str, ...]] = {
    "justification": ("reference",),
    "sequence": ("onsets_s", "truth_audiovisual", "onsets_audiovisual_s", "hear"),
    "report": ("shown",),
}
"""Columns of the question table that are part of the truth, by kind of answer; ``hear`` says whether the
recording has sound to be handed over with its picture."""
_chosen: dict[str, str] = {}


def process_results(document: Mapping[str, Any], results: Sequence[str | None]) -> dict[str, Any]:
    """Turn the reply to a row of the question table into its record; every other metric gets its :func:`identity`.

    lmms-eval writes each metric of each sample, so records in every one of them would fill the disk. ``kind`` is
    the kind of answer. ``answer`` is the parsed answer: a word (``unparsed`` if there is none), seconds, a list of
    items or a text; for the last three None is "unparsed". ``unparsed`` says so for every kind.
    """
    kind = TASKS[document["task"]].answer
    raw = results[0] if results else None
    record = {name: document[name] for name in RECORD_FIELDS}
    record |= {name: document[name] for name in KIND_FIELDS.get(kind, ())}
    record["kind"] = kind
    record |= _PARSERS[kind](raw, document)
    record["unparsed"] = record["answer"] in (None, UNPARSED)
    return {RECORD: record | {"raw": raw}, **dict.fromkeys(MEASURES[kind], identity(record))}


def identity(record: Mapping[str, Any]) -> str:
    """Return the name of a record within a run: task, feature, recording, form of clip, segment."""
    names = ("task", "feature", "video_id", "clip_form", "segment")
    return "/".join(str(record[name]) for name in names)


def set_model(model: str) -> None:
    """Take note of the lmms-eval model class of the run that begins: aggregation hooks are not told it."""
    _chosen["model"] = model


def sound_form(model: str) -> str:
    """Return how sound is handed to a model class: ``none`` (it hears nothing), ``array`` or ``data_url``.

    Raises:
        SettingsError: ``SEMIOLOGY_SOUND`` has an unknown value.
    """
    return sound_override() or media_form(model).get("sound", "none")


def with_hearing(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return records with ``heard``: the recording has sound, and this run's model was played it.

    Where nobody said which model runs, nothing was heard.
    """
    plays = "model" in _chosen and sound_form(_chosen["model"]) != "none"
    return [{**record, "heard": plays and record.get("hear") is True} for record in records]


def _justification(raw: str | None, document: Mapping[str, Any]) -> dict[str, Any]:
    reply = parse_reply(raw)
    answer: Answer = reply.answer
    if document["polarity"] == "negative":
        answer = OPPOSITE.get(answer, answer)
    return {"answer": answer, "justification": reply.justification}


def _sequence(raw: str | None, document: Mapping[str, Any]) -> dict[str, Any]:
    parsed = parse_sequence(raw)
    if parsed is None:
        return {"answer": None, "unknown_items": 0}
    return {"answer": list(parsed.items), "unknown_items": parsed.unknown}


def _with(parse: Callable[[str | None], Any]) -> Callable[[str | None, Mapping[str, Any]], dict[str, Any]]:
    return lambda raw, document: {"answer": parse(raw)}


_PARSERS: Mapping[AnswerKind, Callable[[str | None, Mapping[str, Any]], dict[str, Any]]] = {
    "justification": _justification,
    "side": _with(parse_side),
    "region": _with(parse_region),
    "time": _with(parse_timestamp),
    "sequence": _sequence,
    "report": _with(parse_report),
    "diagnosis": _with(parse_diagnosis),
}
