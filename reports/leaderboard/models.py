"""The form of a leaderboard file; unknown keys are refused, so that nothing else can travel along."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from semiology.features import FEATURES
from semiology.render.validation import one_of

FORMAT, VERSION = "semiology-leaderboard", 1
ScoreName = Literal[
    "f1",
    "balanced_accuracy",
    "precision",
    "recall",
    "specificity",
    "accuracy",
    "mcc",
    "f1_minus_always_yes",
    "unparsed_rate",
]
FEATURE_SCORES: tuple[str, ...] = get_args(ScoreName)
Package = Literal["semiology-eval", "lmms-eval", "transformers", "torch"]
SOFTWARE: tuple[str, ...] = get_args(Package)
"""Packages whose versions an entry tells, where the run recorded them."""


def _unique(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("a feature stands twice; name each once")
    return names


Feature = Annotated[str, one_of(FEATURES), WithJsonSchema({"type": "string", "enum": list(FEATURES)})]
Text = Annotated[str, Field(max_length=400, pattern=r"^[^\u0000-\u001f\u007f]*$")]
Link = Annotated[str, Field(max_length=300, pattern=r"""^https://[^\s"'<>]+$""")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


HUMAN = "human reader"
"""Source of an entry that a person answered: shown apart, and never ranked as a model."""


class Card(_Part):
    """What a model card tells of a model."""

    parameters_billions: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    licence: Text | None
    revision: Text | None
    developer: Text | None
    released: Text | None
    link: Link | None


class Model(Card):
    """A model by name, with its card."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\u0000-\u001f\u007f]+$")]


class Protocol(_Part):
    """How the model was asked."""

    wording: Text
    prompt_sha256: dict[Feature, Sha256]
    enhancement: Text
    window: Text | None
    aggregation: Literal["any_yes"]
    unusable_answers: Literal["wrong", "drop"]


class Data(_Part):
    """What it was asked about."""

    name: Text | None
    fingerprint: Sha256 | None
    simulated: bool
    recordings: Count
    patients: Count


class Intervals(_Part):
    """How intervals were made."""

    method: Literal["patient-clustered"]
    level: Annotated[float, Field(ge=0.95, le=0.95)]
    resamples: Count
    seed: int


class Score(_Part):
    """A score with its interval."""

    value: Share | None
    low: Share | None
    high: Share | None

    @model_validator(mode="after")
    def _is_interval(self) -> Score:
        limits = [limit for limit in (self.low, self.high) if limit is not None]
        if len(limits) == 1 or (limits and (self.value is None or limits[0] > limits[1])):
            raise ValueError("is no interval; give both limits, the lower one first, and the value")
        return self


class Macro(_Part):
    """Means over a group of features; features that are withheld are not among them."""

    group: Literal["visual", "limb_body", "facial", "audio", "all"]
    features: Annotated[list[Feature], AfterValidator(_unique)]
    scores: dict[ScoreName, Score]
    always_yes_f1: Share | None


class FeatureRow(_Part):
    """Scores on one feature; ``withheld``: none is given, since too few patients show or lack it."""

    feature: Feature
    withheld: bool
    n: Count | None
    n_patients: Count | None
    n_positive: Count | None
    n_positive_patients: Count | None
    unparsed: Count | None
    scores: dict[ScoreName, Score]
    always_yes_f1: Share | None
    random_f1: Share | None
    prevalence: Share | None


class Entry(_Part):
    """One model, asked in one way about one set of recordings."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    model: Model
    protocol: Protocol
    data: Data
    source: Literal["run", "published answers", "human reader"]
    software: dict[Package, Text]
    intervals: Intervals
    macro: Annotated[list[Macro], Field(max_length=5)]
    features: Annotated[list[FeatureRow], Field(max_length=len(FEATURES))]
    caveats: Annotated[list[Text], Field(max_length=50)]
    submitted: Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    submitter: Text | None

    @model_validator(mode="before")
    @classmethod
    def _has_its_own_id(cls, content: Any) -> Any:
        try:
            right = content["id"] == entry_id(content)
        except (KeyError, TypeError):
            return content  # the fields tell what is missing
        if not right:
            raise ValueError(
                "the id is not that of its model, protocol and data: the entry was edited; export it again"
            )
        return content


class Board(_Part):
    """A leaderboard file."""

    format: Literal["semiology-leaderboard"]
    version: Literal[1]
    software: Text
    entries: Annotated[list[Entry], Field(max_length=10_000)]

    @model_validator(mode="after")
    def _has_each_entry_once(self) -> Board:
        ids = [entry.id for entry in self.entries]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"the id {twice[0]} stands twice; leave one of the entries out")
        return self


def entry_id(entry: Any) -> str:
    """Return the id of an entry.

    The same model asked the same way about the same data by the same laboratory has the same one, whatever
    the versions of the software; two laboratories have one each.
    """
    model, data = entry["model"], entry["data"]
    key = [model["name"], model["revision"], entry["protocol"], data["name"], data["fingerprint"]]
    key += [entry["source"], entry["submitter"]]
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
