"""Conclusions by stated rules instead of a classifier: odds of signs, multiplied.

A rule says by how much a sign makes some classes likelier than others. The odds of all rules that apply are
multiplied, from equal odds of all classes: that is naive Bayes with equal priors, which takes signs for independent
although many go together, and knows nothing of how common a class is in a clinic. Its probabilities are those of the
rules, no more: they are not calibrated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from semiology.metrics.arrays import Floats
from semiology.metrics.coverage import UNPARSED
from semiology.metrics.diagnosis.out_of_fold import Diagnoses

if TYPE_CHECKING:
    import pandas as pd

UNDECIDED = UNPARSED
"""The answer where no rule applies, or the classes that rules point to come out equal: it counts as wrong."""
SIDE = "_side"
"""Ending of the columns that hold sides: 1 right, 0 left, missing for none or both."""
Points = Literal["contralateral", "ipsilateral"]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: short, for tables.
        when: ``yes`` or ``no`` by feature; all have to hold, and a missing answer is neither.
        odds: of classes against all that are not named (1).
        side_of: instead of ``odds``: the side of this sign (such as ``head_turning``) tells the side of onset.
        points: to which side: away from the sign, or to it. times: its odds against the other side.
    """

    name: str
    when: Mapping[str, Literal["yes", "no"]]
    odds: Mapping[str, float] = field(default_factory=dict)
    side_of: str = ""
    points: Points = "contralateral"
    times: float = 1.0

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return (*self.when, *([self.side_of + SIDE] if self.side_of else []))

    def odds_of(self, row: Mapping[str, float]) -> Mapping[str, float]:
        """Return the odds of the classes for a recording; empty where the rule does not apply.

        Args:
            row: by column, 1 for yes (or right), 0 for no (or left), or P(yes); NaN where there is no answer.
        """
        for feature, wanted in self.when.items():
            value = row.get(feature, np.nan)
            if np.isnan(value) or (value >= 0.5) != (wanted == "yes"):
                return {}
        if not self.side_of:
            return self.odds
        side = row.get(self.side_of + SIDE, np.nan)
        if np.isnan(side):
            return {}
        right = (side >= 0.5) == (self.points == "ipsilateral")
        return {"right" if right else "left": self.times}


def conclude(
    vectors: pd.DataFrame, rules: Sequence[Rule], classes: Sequence[str], videos: Collection[str]
) -> Diagnoses:
    """Return the class of each recording by rules.

    Args:
        vectors: a row per recording, a column per feature and per side (`SIDE`).
        rules: in any order. classes: of the target; odds of others are ignored.
        videos: recordings to judge.
    """
    answers: dict[str, str] = {}
    probability: dict[str, tuple[float, ...]] = {}
    reasons: dict[str, tuple[str, ...]] = {}
    columns = [str(name) for name in vectors.columns]
    values = vectors.loc[list(videos)].to_numpy(dtype=np.float64).tolist()
    for video, cells in zip(videos, values, strict=True):
        row = dict(zip(columns, cells, strict=True))
        applied = [(rule.name, odds) for rule in rules if (odds := rule.odds_of(row))]
        share = shares([odds for _, odds in applied], classes)
        probability[video], reasons[video] = tuple(share.tolist()), tuple(name for name, _ in applied)
        best = np.flatnonzero(np.isclose(share, share.max()))
        answers[video] = str(classes[int(best[0])]) if len(best) == 1 else UNDECIDED
    unheard = [rule.name for rule in rules if not _answered(rule, vectors)]
    notes = [f"has no answers for {', '.join(unheard)} → these rules never apply"] if unheard else []
    return Diagnoses(answers, probability, (), tuple(notes), reasons)


def shares(odds: Sequence[Mapping[str, float]], classes: Sequence[str]) -> Floats:
    """Return the probability of each class from the odds of rules, multiplied; equal ones without a rule.

    >>> shares([{"left": 9.0}, {"right": 3.0}], ["left", "right"])
    array([0.75, 0.25])
    """
    logs = np.array([sum(np.log(each.get(name, 1.0)) for each in odds) for name in classes])
    raised = np.exp(logs - logs.max())
    return np.asarray(raised / raised.sum())


def _answered(rule: Rule, vectors: pd.DataFrame) -> bool:
    return all(name in vectors and vectors[name].notna().any() for name in rule.columns)
