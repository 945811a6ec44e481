"""Rules from the literature, with their sources: a file of this package, or one of the user's own in the same form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, Field, TypeAdapter, model_validator

from semiology.features import FEATURES, suggest_feature
from semiology.metrics.diagnosis.rules import Points, Rule
from semiology.render.strict_yaml import parse_yaml
from semiology.render.validation import did_you_mean, faults_of

LITERATURE = Path(__file__).with_name("literature.yaml")
SIDED = (*FEATURES, "arm_movement")
"""Signs whose side may be known: annotated features, and the arm that moves (S3 task 3)."""
Odds = Annotated[float, Field(gt=0)]


class _Rule(BaseModel, extra="forbid"):
    name: str
    when: dict[str, Literal["yes", "no"]]
    odds: dict[str, Odds] = {}
    side_of: str = ""
    points: Points = "contralateral"
    times: Odds = 1.0
    basis: Literal["published", "rule of thumb"]
    numbers: str
    source: str
    against: str = ""

    @model_validator(mode="after")
    def _known(self) -> _Rule:
        if not self.when:
            raise ValueError("when is empty; name the features that have to be there")
        for name in self.when:
            if name not in FEATURES:
                raise ValueError(
                    f"unknown feature {name!r}{suggest_feature(name)}; use a name of the 20 features"
                )
        if bool(self.odds) == bool(self.side_of):
            raise ValueError("has both odds and side_of, or neither; give one of them")
        if self.side_of and self.side_of not in SIDED:
            raise ValueError(
                f"side_of {self.side_of!r} is unknown{did_you_mean(self.side_of, SIDED)}; use a feature or arm_movement"
            )
        return self


class _RuleFile(BaseModel, extra="forbid"):
    sources: dict[str, str]
    targets: dict[str, list[_Rule]]

    @model_validator(mode="after")
    def _cited(self) -> _RuleFile:
        for target, rules in self.targets.items():
            if twice := {r.name for r in rules if sum(r.name == other.name for other in rules) > 1}:
                raise ValueError(
                    f"{target}: two rules are called {min(twice)!r}; give each a name of its own"
                )
            for rule in rules:
                for key in filter(None, (rule.source, rule.against)):
                    if key not in self.sources:
                        raise ValueError(
                            f"{target}, {rule.name}: there is no source {key!r}; add it to sources"
                        )
        return self


@dataclass(frozen=True)
class CitedRule:
    """A rule with what it rests on.

    Attributes:
        rule: what it says. basis: ``published`` or ``rule of thumb``. numbers: what the source gives.
        source: citation. against: of a study that contradicts it; empty where none is named.
    """

    rule: Rule
    basis: str
    numbers: str
    source: str
    against: str = ""


def read_rules(path: Path = LITERATURE) -> Mapping[str, tuple[CitedRule, ...]]:
    """Return the rules by the column of recordings.csv that they are about.

    Raises:
        ValueError: the file is missing or has faults; each is named with its place and what to do.
    """
    try:
        content: Any = parse_yaml(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: cannot be read ({error}) → give a YAML file of rules") from None
    if faults := faults_of(_RuleFile, content):
        told = "\n".join(
            f"{path}: {'.'.join(map(str, each.place)) or 'the file'}: {each.message} → {each.fix}"
            for each in faults
        )
        raise ValueError(told)
    read = TypeAdapter(_RuleFile).validate_python(content)
    return {
        target: tuple(
            CitedRule(
                Rule(each.name, each.when, each.odds, each.side_of, each.points, each.times),
                each.basis, each.numbers, read.sources[each.source], read.sources.get(each.against, ""),
            )
            for each in rules
        )
        for target, rules in read.targets.items()
    }  # fmt: skip
