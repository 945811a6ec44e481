"""Whether the model of this run is played the sound of recordings, for the truth of the sequence task.

lmms-eval's aggregation hooks are not told which model answered; the check before the run tells it here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from semiology.tasks.settings import sound_override

_SHARED = Path(__file__).parents[1] / "_semiology"
_chosen: dict[str, str] = {}


def set_model(model: str) -> None:
    """Take note of the lmms-eval model class of the run that begins."""
    _chosen["model"] = model


def sound_form(model: str) -> str:
    """Return how sound is handed to a model class: ``none`` (it hears nothing), ``array`` or ``data_url``.

    Raises:
        SettingsError: ``SEMIOLOGY_SOUND`` has an unknown value.
    """
    forms = _forms()
    return sound_override() or str(forms.get(model, forms["default"]).get("sound", "none"))


def with_hearing(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return records with ``heard``: the recording has sound, and this run's model was played it.

    Where nobody said which model runs, nothing was heard.
    """
    plays = "model" in _chosen and sound_form(_chosen["model"]) != "none"
    return [{**record, "heard": plays and record.get("hear") is True} for record in records]


@lru_cache(maxsize=1)
def _forms() -> Mapping[str, Mapping[str, Any]]:
    content = yaml.load(_SHARED.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    forms: Mapping[str, Mapping[str, Any]] = content["lmms_eval_specific_kwargs"]
    return forms


class _Loader(yaml.SafeLoader):
    """Reads a task file without resolving the functions that it names."""


_Loader.add_constructor("!function", lambda loader, node: None)
