"""The same questions asked again: which answers change, and how much of a difference that alone can make.

Repeats are runs of one model and wording that differ in what should not matter: seed, batch size, engine, release.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pandas as pd

from semiology.features import FEATURES
from semiology.metrics.agreement.coefficients import agreement_estimates
from semiology.metrics.paired.repeat_noise import Noise, RepeatNoise, score_variances
from semiology.metrics.paired.tables import END_POINTS, MEASURES
from semiology.metrics.statistics.bootstrap import share_estimate
from semiology.metrics.statistics.intervals import RESAMPLES, Estimate
from semiology.render.text import counted
from semiology.reports.compare.comparison import Comparison, Options, selected_answers
from semiology.reports.compare.sides import (
    CONDITION,
    SEPARATOR,
    Condition,
    Side,
    SideError,
    only_condition,
    read_side,
    refuse_other_set,
)
from semiology.reports.read.asked import asked_differently
from semiology.reports.read.run_facts import caveats

ALL = "all features"
KEYS = ["video_id", "feature"]


@dataclass(frozen=True)
class Changes:
    """Answers of one feature, or of all, given more than once.

    Attributes:
        changed: share of pairs of repeats that differ about a recording. kappa: Cohen's of two, Fleiss' of more.
        n_changed: recordings whose answers are not all the same. n, n_patients: recordings and patients.
    """

    changed: Estimate
    kappa: Estimate
    n_changed: int
    n: int
    n_patients: int


@dataclass(frozen=True)
class Repeats:
    """Runs of one condition.

    Attributes:
        label: of the condition. names: of the runs.
        answers: one row per recording and feature that all answered: columns video_id, patient_id, feature, truth and
            one for each run, by its place.
        changes: by feature, and under `ALL`.
        n_missing: recordings and features that some of the runs lack, left out.
        caveats, notes: what a reader must know.
    """

    label: str
    names: tuple[str, ...]
    answers: pd.DataFrame
    changes: Mapping[str, Changes]
    n_missing: int
    caveats: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Columns of ``answers`` with the answers of each run."""
        return [str(place) for place in range(len(self.names))]


def read_repeats(texts: Sequence[str], options: Options) -> Repeats:
    """Read runs of the same questions, and count which answers changed.

    Args:
        texts: sides, as `read_side` takes them. options: features, recordings and seed.

    Raises:
        SideError: there are fewer than two, one is no single run, or they were asked different questions.
        ValueError: they share no answer, or disagree about a truth or a patient.
    """
    if len(texts) < 2:
        raise SideError("a repeat needs two or more runs → give the folder of each")
    if len(set(texts)) < len(texts):
        raise SideError(f"{next(t for t in texts if texts.count(t) > 1)} is given twice → give each run once")
    sides = [read_side(text) for text in texts]
    conditions = [only_condition(side) for side in sides]
    for side, condition in zip(sides[1:], conditions[1:], strict=True):
        refuse_other_set(sides[0], side, any_set=options.any_set)
        _refuse_other_questions(conditions[0], condition, side.text)
    told = [note for side in sides for note in side.notes]
    models = list(dict.fromkeys(condition.model for condition in conditions))
    if len(models) > 1:
        told.append(
            f"the runs name their model differently ({'; '.join(models)}): what sets these apart counts as repeat noise"
        )
    found = repeats_of(conditions, texts, options)
    features = set(found.answers["feature"])
    limits = [text for side in sides for text in caveats(side.facts, features)]
    return replace(found, caveats=tuple(dict.fromkeys(limits)), notes=(*dict.fromkeys(told), *found.notes))


def _refuse_other_questions(first: Condition, other: Condition, text: str) -> None:
    differing, both = asked_differently(first.texts, other.texts)
    if differing or first.enhancement != other.enhancement:
        what = (
            f"{len(differing)} of {counted(both, 'feature')}, such as {differing[0]}"
            if differing
            else "media"
        )
        raise SideError(
            f"{text}: was asked other questions than {first.label} ({what}) → repeats ask the same; to compare "
            "wordings or enhancements use `semiology compare`"
        )


def repeats_of(conditions: Sequence[Condition], names: Sequence[str], options: Options) -> Repeats:
    """Return the answers that all conditions gave, and which of them changed.

    Raises:
        ValueError: they share no answer, or disagree about a truth or a patient.
    """
    columns = [str(place) for place in range(len(conditions))]
    tables = [
        selected_answers(each.answers, options).rename(columns={"answer": column})
        for each, column in zip(conditions, columns, strict=True)
    ]
    merged = tables[0]
    for table, column, name in zip(tables[1:], columns[1:], names[1:], strict=True):
        merged = merged.merge(table, on=KEYS, suffixes=("", "_other"), validate="one_to_one")
        for what in ("truth", "patient_id"):
            unequal = merged[merged[what] != merged[f"{what}_other"]]
            if len(unequal):
                row = unequal.iloc[0]
                raise ValueError(
                    f"{name}: {row['feature']} of recording {row['video_id']} has another {what.removesuffix('_id')} "
                    f"than in {names[0]} → were the annotations changed between the runs?"
                )
        merged = merged[[*KEYS, "patient_id", "truth", *columns[: int(column) + 1]]]
    if merged.empty:
        raise ValueError(f"{', '.join(names)} share no recording → repeats are about the same recordings")
    every = len(pd.concat([table[KEYS] for table in tables]).drop_duplicates())
    order = [name for name in FEATURES if name in set(merged["feature"])]
    groups = {name: merged[merged["feature"] == name] for name in order}
    if len(groups) > 1:
        groups[ALL] = merged
    changes = {name: _changes(rows, columns, options.seed) for name, rows in groups.items()}
    rows = merged[["video_id", "patient_id", "feature", "truth", *columns]].reset_index(drop=True)
    return Repeats(conditions[0].label, tuple(names), rows, changes, every - len(merged))


def _changes(rows: pd.DataFrame, columns: Sequence[str], seed: int) -> Changes:
    ratings = rows[list(columns)].to_numpy(dtype=object).tolist()
    patients = rows["patient_id"].astype(str).tolist()
    found = agreement_estimates(ratings, patients, resamples=RESAMPLES, seed=seed)
    kappa = found["cohen_kappa" if len(columns) == 2 else "fleiss_kappa"]
    unlike = sum(len(set(row)) > 1 for row in ratings)
    pairs = list(combinations(range(len(columns)), 2))
    shares = [sum(row[i] != row[j] for i, j in pairs) / len(pairs) for row in ratings]
    return Changes(share_estimate(shares, patients), kappa, unlike, len(rows), len(set(patients)))


def repeat_noise(
    comparison: Comparison, sides: Sequence[Side], texts: Sequence[str], options: Options
) -> RepeatNoise:
    """Return what repeats of either side say of a comparison, on the questions compared.

    Args:
        comparison: of the two sides. sides: they. texts: runs that repeat one of them. options: of the comparison.

    Raises:
        SideError: a run repeats neither side: another model, wording or enhancement.
        ValueError: as `read_repeats`.
    """
    conditions = [None if side.constant or side.best else only_condition(side) for side in sides]
    groups: dict[int, list[str]] = {0: [sides[0].text], 1: [sides[1].text]}
    for text in texts:
        if text in groups[0] or text in groups[1]:
            raise SideError(f"--repeats {text}: is compared, or given twice → give further runs")
        groups[_repeated(text, conditions)].append(text)
    asked = comparison.pairs[KEYS]
    macro = comparison.result.macro_features
    variances: list[dict[tuple[str, str], float]] = []
    notes = []
    for place, letter in enumerate("AB"):
        if len(groups[place]) < 2:
            continue
        found = read_repeats(groups[place], options)
        found = replace(found, answers=found.answers.merge(asked, on=KEYS))
        if found.answers.empty:
            raise SideError(
                f"--repeats: no run of {found.label} answered a question compared → give other runs"
            )
        share = len(found.answers) / len(asked)
        whole = "" if share == 1 else f", on {share:.0%} of the answers compared"
        notes.append(f"Repeats of {letter}: {counted(len(found.names), 'run')}{whole}.")
        variances.append(score_variances(found.answers, found.columns, macro))
    if len(variances) == 1 and not any(side.constant for side in sides):
        lacking = "B" if len(groups[0]) > 1 else "A"
        notes.append(f"No repeats of {lacking}: its noise is taken to be that of the other.")
        variances *= 2
    rows = []
    for measure in END_POINTS:
        if measure in comparison.result.macro:
            score = comparison.result.macro[measure]
            name = counted(len(macro[measure]), "feature")
            rows.append(_noise(name, "", measure, score.difference.value, variances))
    for feature in comparison.result.features:
        for measure in MEASURES:
            value = feature.scores[measure].difference.value
            rows.append(_noise(feature.feature, feature.feature, measure, value, variances))
    return RepeatNoise(tuple(each for each in rows if each is not None), tuple(notes))


def enhancement_noise(
    comparisons: Sequence[Comparison],
    pairs: Sequence[tuple[Condition, Condition]],
    sides: tuple[Side, Side],
    texts: Sequence[str],
    options: Options,
) -> list[Comparison]:
    """Return comparisons of enhancements with what repeats of the plain or the enhanced run say of each.

    Args:
        comparisons: each of one of ``pairs``, the plain condition and the enhanced one, told by their labels.
        sides: the runs given as plain and as enhanced. texts: runs that repeat any of these conditions; a run may
            repeat several. options: of the comparisons.

    Raises:
        SideError: a run repeats none of them. ValueError: as `read_repeats`.
    """
    of_labels = {(one.label, other.label): (one, other) for one, other in pairs}
    parts = {text: [_choice(text, each) for each in read_side(text).conditions] for text in texts}
    used: set[str] = set()
    made = []
    for comparison in comparisons:
        own = of_labels[comparison.first, comparison.second]
        chosen = [
            replace(side, text=_choice(side.text, each), conditions=(each,))
            for side, each in zip(sides, own, strict=True)
        ]
        fitting = [part for each in parts.values() for part in each if _repeats_any(part, own)]
        used |= set(fitting)
        noise = repeat_noise(comparison, chosen, fitting, options) if fitting else None
        made.append(replace(comparison, repeats=noise) if noise else comparison)
    for text, each in parts.items():
        if not used & set(each):
            labels = ", ".join(dict.fromkeys(condition.label for pair in pairs for condition in pair))
            raise SideError(
                f"--repeats {text}: repeats none of {labels}: it is another model, or was asked other questions → give "
                "runs of the same model, wording and enhancement"
            )
    return made


def _choice(text: str, condition: Condition) -> str:
    """Return how one condition of a run is typed."""
    source = text.partition(SEPARATOR)[0]
    return f"{source}{SEPARATOR}" + ",".join(f"{name}={getattr(condition, name)}" for name in CONDITION)


def _repeats_any(text: str, conditions: Sequence[Condition]) -> bool:
    try:
        _repeated(text, conditions)
    except SideError:
        return False
    return True


def _noise(
    name: str, key: str, measure: str, difference: float, variances: Sequence[Mapping[tuple[str, str], float]]
) -> Noise | None:
    known = [each[measure, key] for each in variances if (measure, key) in each]
    if len(known) < len(variances) or math.isnan(sum(known)):
        return None
    return Noise(name, measure, difference, math.sqrt(sum(known)))


def _repeated(text: str, conditions: Sequence[Condition | None]) -> int:
    """Return which side a run repeats: the one of its model's name, of those that were asked the same."""
    condition = only_condition(read_side(text))
    alike = [
        place
        for place, each in enumerate(conditions)
        if each is not None
        and each.enhancement == condition.enhancement
        and not asked_differently(each.texts, condition.texts)[0]
    ]
    for same in (str, _base):
        for place in alike:
            each = conditions[place]
            if each is not None and same(each.model) == same(condition.model):
                return place
    sides = " nor ".join(each.label for each in conditions if each is not None)
    raise SideError(
        f"--repeats {text}: {condition.label} repeats neither {sides}: it is another model, or was asked other "
        "questions → give runs of the same model and wording"
    )


def _base(model: str) -> str:
    """Return a model's name without its settings."""
    return model.partition(" [")[0]


def change_rows(repeats: Repeats) -> list[dict[str, Any]]:
    """Return every recording and feature whose answers are not all the same, the runs by name."""
    columns = repeats.columns
    rows = repeats.answers[repeats.answers[columns].nunique(axis=1) > 1]
    named = dict(zip(columns, repeats.names, strict=True))
    return [
        {str(named.get(str(key), key)): value for key, value in row.items()}
        for row in rows.to_dict("records")
    ]
