"""What a reader must know before the figures, read from lmms-eval's own results file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from semiology.features import AUDIO_FEATURES
from semiology.reports.read.lmms_eval_files import EMBEDDED_MODELS

# What a task's metadata counts, and how a reader is told.
LEFT_OUT = {
    "recordings_not_annotated": "not annotated",
    "recordings_annotated_na": "annotated na",
    "recordings_without_sound": "without sound",
    "windows_with_too_few_frames": "windows with too few frames",
    "recordings_enhancement_failed": "whose enhancement failed",
    "recordings_enhancement_unavailable": "whose enhancement was unavailable",
}


def run_facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a run that change how its figures may be read.

    Args:
        record: A parsed ``*_results.json``.

    Returns:
        ``data`` (name of the recording set), ``simulated``, ``embedded_model``, ``deaf`` (asked about sound
        without sound), ``limit``, ``exclusions`` (ids of recordings without usable video) and ``left_out``
        (what else was not asked, by feature); only those
        that the file tells.
    """
    config = _mapping(record, "config")
    model_args = str(config.get("model_args")).replace("\\", "/")
    facts: dict[str, Any] = {
        "embedded_model": any(name in model_args for name in EMBEDDED_MODELS),
        "limit": config.get("limit"),
    }
    configs = [value for value in _mapping(record, "configs").values() if isinstance(value, Mapping)]
    for task in configs:
        described = _mapping(task, "metadata")
        if "recording_set" in described:
            facts |= {"data": described["recording_set"], "simulated": described.get("simulated") is True}
            facts["exclusions"] = list(described.get("recordings_without_usable_video") or ())
            facts.setdefault("left_out", {})[_label(task)] = {
                name: described[name] for name in LEFT_OUT if described.get(name)
            }
    facts["deaf"] = any(_deaf(task, str(config.get("model"))) for task in configs)
    return facts


SIMULATED_CAVEAT = "The recordings are simulated: the figures say nothing about patients."


RunFacts = Mapping[str, Mapping[str, Any]]
"""What `run_facts` found, by model."""


def caveats(records: RunFacts, features: Collection[str] | None = None) -> tuple[str, ...]:
    """Return one sentence for each fact that limits what the figures mean.

    Args:
        records: what `run_facts` found, by model.
        features: those that the figures are about; None for all that were asked.
    """
    heard = features is None or bool(set(AUDIO_FEATURES) & set(features))
    found: list[str] = []
    for model, record in sorted(records.items()):
        if record.get("simulated"):
            found.append(SIMULATED_CAVEAT)
        if record.get("embedded_model"):
            found.append(
                f"{model} is the small embedded model, made to try the software, not to read seizures."
            )
        if record.get("deaf") and heard:
            found.append(f"{model} was asked about sound without hearing any: those answers are guesses.")
        if record.get("limit"):
            found.append(
                f"{model} was asked only the first {record['limit']:g} questions of each task (--limit)."
            )
        if record.get("exclusions"):
            count = len(record["exclusions"])
            found.append(f"{count} recording{'s' if count > 1 else ''} could not be used (no usable video).")
        found += [f"{model}: {text}" for text in _left_out(_about(record, features))]
    return tuple(dict.fromkeys(found))


def _about(record: Mapping[str, Any], features: Collection[str] | None) -> dict[str, Mapping[str, int]]:
    """Return what was left out of the features that the figures are about."""
    counts: Mapping[str, Mapping[str, int]] = record.get("left_out") or {}
    return {
        label: what
        for label, what in counts.items()
        if features is None or label.partition(" with ")[0] in features
    }


def _left_out(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return one sentence on what was not asked, features with the same counts together."""
    together: dict[str, list[str]] = {}
    for feature, what in counts.items():
        text = ", ".join(f"{number} {LEFT_OUT[name]}" for name, number in what.items())
        if text:
            together.setdefault(text, []).append(feature)
    parts = [
        f"{text} ({'all features' if len(names) == len(counts) > 1 else ', '.join(names)})"
        for text, names in together.items()
    ]
    return [f"recordings not asked: {'; '.join(parts)}."] if parts else []


def _deaf(task: Mapping[str, Any], model: str) -> bool:
    """Tell whether a task about sound was asked without sound, and without the words that were said."""
    if _feature(task) not in AUDIO_FEATURES or _mapping(task, "metadata").get("enhancement") == "transcript":
        return False
    chosen = _mapping(task, "metadata").get("sound")
    forms = _mapping(task, "lmms_eval_specific_kwargs")
    form = forms.get(model, forms.get("default"))
    sound = chosen or (form.get("sound") if isinstance(form, Mapping) else None)
    return sound == "none"


def _label(task: Mapping[str, Any]) -> str:
    """Return the feature, with the enhancement where there is one: the two differ in what they leave out."""
    enhancement = _mapping(task, "metadata").get("enhancement")
    return f"{_feature(task)} with {enhancement}" if enhancement else _feature(task)


def _feature(task: Mapping[str, Any]) -> str:
    return str(task.get("task")).rsplit("semiology_", 1)[-1]


def _mapping(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}
