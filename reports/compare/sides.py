"""The two sides of a comparison: from what the user typed to the recording answers of one condition.

A side is written ``SOURCE`` or ``SOURCE::CHOICE``. SOURCE is a folder of results, a table of published
answers (``semiology baselines import``; ``s3`` and ``embc`` by name), or ``always-yes``/``always-no``.
CHOICE names a model, or any of ``model=…,prompt=…,enhancement=…``; ``best`` is the best of a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from semiology.features import FEATURES
from semiology.metrics.scores.probability import recording_probabilities
from semiology.reports.published.answers import FEATURE_TASK
from semiology.reports.published.baselines import KNOWN, baselines_file, read_baselines
from semiology.reports.read.asked import PREFIX, Asked, Texts, texts_asked
from semiology.reports.read.feature_answers import read_results
from semiology.reports.read.run_facts import RunFacts
from semiology.reports.summary.features import labelled_recordings

CONSTANTS: Mapping[str, str] = {"always-yes": "yes", "always-no": "no"}
BEST = "best"
CONDITION = ("model", "prompt", "enhancement")
SEPARATOR = "::"
ANSWER_COLUMNS = ("video_id", "patient_id", "feature", "answer", "truth")


class SideError(ValueError):
    """A side of a comparison cannot be read or is not one condition; the message says what to type."""


@dataclass(frozen=True)
class Condition:
    """One model under one wording and one enhancement.

    Attributes:
        model, prompt, enhancement: what was asked; ``published`` models keep their name here.
        answers: columns `ANSWER_COLUMNS`, one row per recording and feature.
        published: whether the answers come from a table of published answers.
        texts: what was sent, as `texts_asked` gives it; empty for constant answers.
        certainty: the highest P(yes) of the segments, columns video_id, feature, p_yes; None where none was recorded.
    """

    model: str
    prompt: str
    enhancement: str
    answers: pd.DataFrame
    published: bool = False
    texts: Texts = field(default_factory=dict)
    certainty: pd.DataFrame | None = None

    @property
    def label(self) -> str:
        """Name for people, as in every report."""
        model = f"{PREFIX if self.published else ''}{self.model}"
        return Asked(model, self.prompt, self.enhancement).label


@dataclass(frozen=True)
class Side:
    """What one argument stands for.

    Attributes:
        text: what the user typed.
        conditions: those that match, sorted by model, wording, enhancement; none for a constant.
        constant: the answer of ``always-yes`` or ``always-no``, else None.
        best: whether the best of the conditions is wanted.
        data: name of the recording set, where the run tells.
        notes: of the results read.
        facts: run record of each model.
    """

    text: str
    conditions: tuple[Condition, ...] = ()
    constant: str | None = None
    best: bool = False
    data: str | None = None
    notes: tuple[str, ...] = ()
    facts: RunFacts = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether the recordings of any model here are simulated."""
        return any(known.get("simulated") is True for known in self.facts.values())


def read_side(text: str) -> Side:
    """Read what one argument stands for.

    Raises:
        SideError: there is no such source, or nothing in it matches the choice.
        ValueError: the source has faults.
    """
    if text in CONSTANTS:
        return Side(text, constant=CONSTANTS[text])
    source, _, choice = text.partition(SEPARATOR)
    path = _path(source)
    wanted: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in choice.split(","))):
        name, sign, value = (word.strip() for word in part.partition("="))
        name, value = (name, value) if sign else ("model", part)
        if name not in CONDITION:
            raise SideError(f"{text}: cannot choose by {name!r} → use {', '.join(CONDITION)}")
        wanted[name] = value
    published = path.suffix == ".csv"
    side = Side(text)
    if published:
        rows = read_baselines(path)
        rows = rows[(rows["task"] == FEATURE_TASK) & rows["feature"].isin(FEATURES)]
        if rows.empty:
            raise SideError(f"{path.name}: holds no answers on features → import them again")
        sent = rows.assign(prompt=rows["prompt_id"])
    else:
        results = read_results([path])
        rows, sent = labelled_recordings(results.answers), results.answers
        data = next((str(r["data"]) for r in results.records.values() if r.get("data")), None)
        side = Side(text, data=data, notes=results.notes, facts=results.records)
    conditions = []
    for key, group in rows.groupby(["model", "prompt_id", "enhancement"], sort=True):
        model, prompt, enhancement = map(str, key)
        answers = group[list(ANSWER_COLUMNS)].reset_index(drop=True)
        own = sent[
            (sent["model"] == model) & (sent["enhancement"] == enhancement) & (sent["prompt"] == prompt)
        ]
        sure = None
        if not published and own["p_yes"].notna().any():
            sure = recording_probabilities(own, ["video_id", "feature"]).dropna()
        conditions.append(Condition(model, prompt, enhancement, answers, published, texts_asked(own), sure))
    best = wanted.get("model") == BEST and BEST not in {c.model for c in conditions}
    if best:
        del wanted["model"]
    matching = tuple(
        c for c in conditions if all(getattr(c, name) == value for name, value in wanted.items())
    )
    if not matching:
        raise SideError(f"{text}: nothing here matches → choose one of\n{choices(source, conditions)}")
    return replace(side, conditions=matching, best=best)


def _path(source: str) -> Path:
    """Return the folder or table that a source names; published answers are known by name once imported."""
    path = Path(source)
    if path.exists():
        return path
    if source in KNOWN:
        if baselines_file(source).is_file():
            return baselines_file(source)
        raise SideError(
            f"{source}: these published answers are not on this machine → import them from the normalised "
            f"release by `semiology baselines import {source} DIR`"
        )
    raise SideError(
        f"{source}: there is no such file or folder → give a run's folder, a table of published answers, "
        f"{', '.join(KNOWN)} or {' or '.join(CONSTANTS)}"
    )


def refuse_other_set(first: Side, second: Side, *, any_set: bool) -> None:
    """Refuse two sides about recording sets of different names, unless any set will do.

    Raises:
        SideError: names them.
    """
    if first.data and second.data and first.data != second.data and not any_set:
        raise SideError(
            f"the runs are about different recording sets ({first.data}; {second.data}) → compare runs about "
            "one set, or add --any-set if the recordings they share are the same under both names"
        )


def only_condition(side: Side) -> Condition:
    """Return the one condition of a side.

    Raises:
        SideError: it has several, and the message lists what to type; or it is a constant.
    """
    if side.constant:
        raise SideError(
            f"{side.text}: constant answers cannot be used here → give a run or published answers"
        )
    if len(side.conditions) != 1:
        source = side.text.partition(SEPARATOR)[0]
        raise SideError(
            f"{side.text}: holds {len(side.conditions)} conditions → choose one of\n"
            f"{choices(source, side.conditions)}"
        )
    return side.conditions[0]


def choices(source: str, conditions: Sequence[Condition]) -> str:
    """Return one line per condition: what to type for it."""
    varied = [name for name in CONDITION if len({getattr(c, name) for c in conditions}) > 1] or ["model"]
    lines = []
    for condition in conditions:
        chosen = ",".join(f"{name}={getattr(condition, name)}" for name in varied)
        lines.append(f"  '{source}{SEPARATOR}{chosen}'")
    return "\n".join(lines)
