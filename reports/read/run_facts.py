"""What a reader must know before the numbers, read from lmms-eval's own results file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from semiology.features import AUDIO_FEATURES
from semiology.render.text import counted
from semiology.reports.read.lmms_eval_files import EMBEDDED_MODELS, HUMAN_READER, mapping

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
    """Return the facts of a run that change how its numbers may be read.

    Args:
        record: A parsed ``*_results.json``.

    Returns:
        ``data`` (name of the recording set), ``simulated``, ``embedded_model``, ``deaf`` (asked about sound
        without audio input), ``limit``, ``confirm_opened`` (recordings of the split confirm that were asked),
        ``protected`` (recordings asked by protected split),
        ``exclusions`` (ids of recordings without usable video) and ``left_out`` (what else was not asked, by
        feature); only those that the file tells.
    """
    config = mapping(record, "config")
    model_args = str(config.get("model_args")).replace("\\", "/")
    facts: dict[str, Any] = {
        "embedded_model": any(name in model_args for name in EMBEDDED_MODELS),
        "limit": config.get("limit"),
    }
    if config.get("model") == HUMAN_READER:
        facts |= {"human": True, "reader": mapping(config, "reader")}
    configs = [value for value in mapping(record, "configs").values() if isinstance(value, Mapping)]
    for task in configs:
        described = mapping(task, "metadata")
        if "recording_set" in described:
            facts |= {"data": described["recording_set"], "simulated": described.get("simulated") is True}
            protected = {name: n for name, n in mapping(described, "recordings_protected").items() if n}
            facts |= {"protected": protected} if protected else {}
            facts |= {"confirm_opened": protected["confirm"]} if "confirm" in protected else {}
            if left := described.get("recordings_not_chosen"):
                facts["not_chosen"] = left
            facts["exclusions"] = list(described.get("recordings_without_usable_video") or ())
            # Plain and enhanced tasks leave out different recordings.
            enhancement = described.get("enhancement")
            label = f"{_feature(task)} with {enhancement}" if enhancement else _feature(task)
            facts.setdefault("left_out", {})[label] = {
                name: described[name] for name in LEFT_OUT if described.get(name)
            }
    facts["deaf"] = any(_no_audio_input(task, str(config.get("model"))) for task in configs)
    return facts


SIMULATED_CAVEAT = "The recordings are simulated: the numbers say nothing about patients."


RunFacts = Mapping[str, Mapping[str, Any]]
"""What `run_facts` found, by model."""


def caveats(records: RunFacts, features: Collection[str] | None = None) -> tuple[str, ...]:
    """Return one sentence for each fact that limits what the numbers mean.

    Args:
        records: what `run_facts` found, by model.
        features: those that the numbers are about; None for all that were asked.
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
        if record.get("human"):
            found.append(_of_reader(model, mapping(record, "reader")))
        if record.get("deaf") and heard and not record.get("human"):
            found.append(f"{model} was asked about sound without audio input: those answers are guesses.")
        if record.get("limit"):
            found.append(
                f"{model} was asked only the first {record['limit']:g} questions of each task (--limit)."
            )
        if record.get("not_chosen"):
            left = counted(record["not_chosen"], "recording")
            found.append(
                f"{model} was asked a choice of recordings: {left} left out (--recordings, --videos)."
            )
        if record.get("confirm_opened"):
            opened = counted(record["confirm_opened"], "recording")
            found.append(f"{model} was asked {opened} of the split confirm: each look confirms less.")
        if record.get("exclusions"):
            unusable = counted(len(record["exclusions"]), "recording")
            found.append(f"{unusable} could not be used (no usable video).")
        left_out = {
            label: what
            for label, what in (record.get("left_out") or {}).items()
            if features is None or label.partition(" with ")[0] in features
        }
        found += [f"{model}: {text}" for text in _left_out(left_out)]
    return tuple(dict.fromkeys(found))


def _of_reader(name: str, reader: Mapping[str, Any]) -> str:
    answered, asked = reader.get("answered"), reader.get("asked")
    told = f"{name} is a person, who saw the frames that models are shown, not a model"
    if not isinstance(answered, int) or not isinstance(asked, int) or answered == asked:
        return f"{told}."
    return (
        f"{told}; stopped after {answered} of {asked} segments: recordings without all answers are left out."
    )


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


def sound_given(task: Mapping[str, Any], model: str) -> str | None:
    """Return which sound a task hands to a model class, ``none`` for none; None where the record does not tell.

    Args:
        task: its config in the results file. model: name of the model class.
    """
    forms = mapping(task, "lmms_eval_specific_kwargs")
    form = forms.get(model, forms.get("default"))
    chosen = mapping(task, "metadata").get("sound")
    return chosen or (form.get("sound") if isinstance(form, Mapping) else None)


def _no_audio_input(task: Mapping[str, Any], model: str) -> bool:
    """Tell whether a task about sound was asked without sound, and without the words that were said."""
    if _feature(task) not in AUDIO_FEATURES or mapping(task, "metadata").get("enhancement") == "transcript":
        return False
    return sound_given(task, model) == "none"


def _feature(task: Mapping[str, Any]) -> str:
    return str(task.get("task")).rsplit("semiology_", 1)[-1]
