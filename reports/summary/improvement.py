"""One measure a task, a base beside its variants, and the mean relative change: S3 Table 3, from answers of a report.

Measures are those of the publication, by its rules: mean F1 of the features (task 1), mean interpretation score (2),
mean F1 of head, arm and region (3), mean error of all onsets, start and end in centred clips (4), LCS ratio (5),
Seizure-RQI (6), mean F1 of the ways to a diagnosis (7). A change is told over what both were asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semiology.features import THREE_CLASSES
from semiology.metrics.arrays import Floats
from semiology.metrics.coverage import UNPARSED
from semiology.metrics.paired.relative_improvement import (
    LeftOut,
    class_f1,
    mean_change,
    mean_of_items,
    mean_value,
    relative_change,
)
from semiology.metrics.statistics.intervals import Estimate
from semiology.reports.read.asked import Asked, is_reference
from semiology.reports.read.feature_answers import Results
from semiology.reports.read.s3_answers import S3Results
from semiology.reports.summary.features import labelled_recordings
from semiology.reports.summary.s3_cases import case_tables
from semiology.reports.summary.s3_measures import TWO_STAGE_TASK

Answers = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by item (a feature or an S3 task), each about a recording of a patient."""


@dataclass(frozen=True)
class TaskMeasure:
    """The measure of a task: its name, whether less is better, and the S3 tasks that it is made of."""

    name: str
    parts: tuple[str, ...]
    less_is_better: bool = False


MEASURES: Mapping[int, TaskMeasure] = {
    1: TaskMeasure("F1", ("feature",)),
    2: TaskMeasure("interpretation", ("s3_justification",)),
    3: TaskMeasure("F1", ("s3_head_turning_side", "s3_arm_movement_side", "s3_onset_region")),
    4: TaskMeasure("MAE, s", ("s3_onset_time", "s3_seizure_start", "s3_seizure_end"), less_is_better=True),
    5: TaskMeasure("LCS", ("s3_sequence",)),
    6: TaskMeasure("RQI", ("s3_report",)),
    7: TaskMeasure("F1", ("s3_diagnosis", "s3_diagnosis_with_report", TWO_STAGE_TASK)),
}
LEFT_OUT_AS_PUBLISHED = 3
"""Task that the published mean leaves out."""
POSITIVE = {"s3_head_turning_side": "right", "s3_arm_movement_side": "right", "s3_onset_region": None}


@dataclass(frozen=True)
class Variant:
    """One model beside the base.

    Attributes:
        model, enhancement: what was asked, in the reference wording or the first by name (``prompt`` is empty).
        values: by task, NaN where there is none. items: by task, of what the measure is the mean.
        change: by task, relative to the base, over the items that both have.
        published: mean change without task 3. every: with it. None for the base itself.
        questions: part and recording of each answer behind it.
    """

    model: str
    enhancement: str
    values: Mapping[int, float]
    items: Mapping[int, tuple[str, ...]]
    change: Mapping[int, float]
    published: Estimate | None
    every: Estimate | None
    questions: frozenset[tuple[str, str]]
    prompt: str = ""

    @property
    def label(self) -> str:
        """Model and enhancement."""
        return Asked(self.model, self.prompt, self.enhancement).label


@dataclass(frozen=True)
class Improvement:
    """The base, its variants, and what a reader must know."""

    base: Variant
    variants: tuple[Variant, ...]
    notes: tuple[str, ...]


def improvement_over(
    base: str,
    features: Results | None,
    s3: S3Results | None,
    cases: Answers | None = None,
) -> Improvement:
    """Compare all models of a report with one of them.

    Args:
        base: its name, or a part that no other name holds.
        features, s3: answers.
        cases: `semiology.reports.summary.s3_cases.case_tables` of them, where they are known.

    Raises:
        ValueError: no model or several fit the name, or there is no other.
    """
    rows = _rows(features, s3, cases)
    names = list(rows)
    labels = {name.label: name for name in names}
    chosen = [label for label in labels if label == base] or [
        each for each in labels if base.lower() in each.lower()
    ]
    if len(chosen) != 1:
        fit = "no model of the report is called so" if not chosen else f"{', '.join(chosen)} fit"
        raise ValueError(f"--base {base}: {fit} → name one of {', '.join(labels)}")
    first = labels[chosen[0]]
    if len(names) < 2:
        raise ValueError(
            f"--base {base}: the report is about this model alone → add the runs of its variants"
        )
    every = sorted({str(row["patient_id"]) for of in rows.values() for part in of.values() for row in part})
    scored = {name: _measures(of, every) for name, of in rows.items()}
    at = {patient: i for i, patient in enumerate(every)}
    weights: dict[Asked, Floats] = {name: np.zeros(len(every)) for name in names}
    for name, of in rows.items():
        for row in (row for part in of.values() for row in part):
            weights[name][at[str(row["patient_id"])]] += 1
    made = {name: _variant(name, first, scored, weights, rows[name]) for name in names}
    variants = tuple(made[name] for name in names if name != first)
    return Improvement(made[first], variants, _notes(made[first], variants))


def _rows(
    features: Results | None, s3: S3Results | None, cases: Answers | None
) -> dict[Asked, dict[str, list[Any]]]:
    """Return the rows of each model by item; of several wordings the reference, else the first by name, counts."""
    found: dict[tuple[str, str], dict[str, dict[str, list[Any]]]] = {}
    if features is not None:
        answered: list[dict[Any, Any]] = labelled_recordings(features.answers).to_dict("records")
        for row in answered:
            own = found.setdefault((str(row["model"]), str(row["enhancement"])), {})
            own.setdefault(f"feature {row['feature']}", {}).setdefault(str(row["prompt_id"]), []).append(row)
    if s3 is not None:
        wanted = {part for measure in MEASURES.values() for part in measure.parts}
        tables = case_tables(s3) if cases is None else cases
        for task in wanted & set(tables):
            for case in tables[task]:
                if case.get("clip_form") in (None, "", "centred"):
                    own = found.setdefault((str(case["model"]), str(case["enhancement"])), {})
                    name = (
                        task
                        if task not in ("s3_onset_time", "s3_justification")
                        else f"{task} {case['feature']}"
                    )
                    own.setdefault(name, {}).setdefault(str(case["prompt"]), []).append(case)
    chosen: dict[Asked, dict[str, list[Any]]] = {}
    for model, enhancement in sorted(found):
        items = found[model, enhancement]
        chosen[Asked(model, "", enhancement)] = {
            item: wordings[min(wordings, key=lambda name: (not is_reference(name), name))]
            for item, wordings in sorted(items.items())
        }
    return chosen


def _measures(of: Mapping[str, Sequence[Any]], every: Sequence[str]) -> dict[int, dict[str, LeftOut]]:
    """Return the items of each task."""
    return {
        number: {
            item: _item(item, rows, every) for item, rows in of.items() if item.split(" ")[0] in measure.parts
        }
        for number, measure in MEASURES.items()
    }


def _item(item: str, rows: Sequence[Any], every: Sequence[str]) -> LeftOut:
    task, _, feature = item.partition(" ")
    patients = [str(row["patient_id"]) for row in rows]

    def mean(values: Sequence[Any]) -> LeftOut:
        return mean_value([np.nan if value is None else float(value) for value in values], patients, every)

    if task == "s3_justification":
        return mean([row["interpretation"] for row in rows])
    if task in MEASURES[4].parts:
        late = [row["late_by_s"] for row in rows]
        return mean([None if value is None else abs(value) for value in late])
    if task == "s3_sequence":
        return mean([row["lcs_ratio"] for row in rows])
    if task == "s3_report":
        return mean([row["rqi"] for row in rows])
    if task == "feature":
        three = feature in THREE_CLASSES
        truths, answers = {"yes", "no"}, {"yes", "no", "na"} if three else {"yes", "no"}
        kept = [row for row in rows if row["truth"] in truths and row["answer"] in answers]
        positive = None if three else "yes"
    else:
        kept = [row for row in rows if row["answer"] != UNPARSED and row["truth"]]
        positive = POSITIVE.get(task, "ES")
    truth, answer, owners = ([str(row[name]) for row in kept] for name in ("truth", "answer", "patient_id"))
    return class_f1(truth, answer, owners, every, positive)


def _variant(
    name: Asked,
    base: Asked,
    scored: Mapping[Asked, Mapping[int, Mapping[str, LeftOut]]],
    weights: Mapping[Asked, Floats],
    rows: Mapping[str, Sequence[Any]],
) -> Variant:
    own = {number: mean_of_items(list(items.values())) for number, items in scored[name].items() if items}
    values = {number: own[number].value if number in own else float("nan") for number in MEASURES}
    items = {number: tuple(scored[name][number]) for number in MEASURES}
    change: dict[int, LeftOut] = {}
    for number, measure in MEASURES.items():
        both = [item for item in scored[base][number] if item in scored[name][number]]
        if name != base and both:
            first, second = (
                mean_of_items([scored[who][number][item] for item in both]) for who in (base, name)
            )
            change[number] = relative_change(first, second, less_is_better=measure.less_is_better)
    means: list[Estimate | None] = [None, None]
    if change:
        sizes = weights[name] + weights[base]
        without = [each for number, each in change.items() if number != LEFT_OUT_AS_PUBLISHED]
        means = [mean_change(part, sizes) if part else None for part in (without, list(change.values()))]
    questions = frozenset((item, str(row["video_id"])) for item, part in rows.items() for row in part)
    return Variant(
        name.model,
        name.enhancement,
        values,
        items,
        {number: each.value for number, each in change.items()},
        means[0],
        means[1],
        questions,
    )


def _notes(base: Variant, variants: Sequence[Variant]) -> tuple[str, ...]:
    told = []
    for each in variants:
        alone: dict[bool, list[str]] = {True: [], False: []}
        for number in MEASURES:
            own, other = set(base.items[number]), set(each.items[number])
            if own and other and own != other:
                told.append(
                    f"task {number}: of {each.label} the mean is over {len(other)} parts (features or questions), of "
                    f"the base over {len(own)}; the change is that of the {len(own & other)} that both were asked about"
                )
            if bool(own) != bool(other):
                alone[bool(own)].append(str(number))
            elif number in each.change and np.isnan(each.change[number]):
                told.append(
                    f"task {number}: the base scores 0, or one of the two has no score → no change of {each.label}"
                )
        for of_base, numbers in alone.items():
            if numbers:
                tasks = f"task{'s' * (len(numbers) > 1)} {', '.join(numbers)}"
                who = base.label if of_base else each.label
                told.append(f"{tasks}: only {who} was asked → not in the mean change of {each.label}")
        shared = {item for item, _ in base.questions} & {item for item, _ in each.questions}
        first, second = (sum(item in shared for item, _ in who.questions) for who in (base, each))
        common = sum(item in shared for item, _ in base.questions & each.questions)
        if common < max(first, second):
            told.append(
                f"{each.label} answered {second:,} of the questions compared, the base {first:,}, both {common:,}: "
                "figures on other recordings do not rank models"
            )
    return tuple(dict.fromkeys(told))
