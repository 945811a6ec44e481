"""The recordings that a search for wordings looks at, and which patients may be seen when.

One example is one recording asked about one feature: all its windows, whose answers become one by the rule
of `metrics.scores.aggregation`. Patients, never recordings, are divided into three parts: ``train`` is
shown to the proposer, ``development`` selects, ``test`` is asked once, at the end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from semiology.data.recording_set import RecordingSet
from semiology.optimization.folds.draw import FoldError, Parts, draw_folds, folds_of, nested_splits
from semiology.optimization.search.options import SearchError
from semiology.prompts.library import Prompt
from semiology.render.text import counted
from semiology.tasks.documents import build_documents
from semiology.tasks.plan import Plan

PARTS = ("train", "development", "test")
DRAWN_FOLDS = 4
TEST_SPLIT = "test"


@dataclass(frozen=True)
class Example:
    """One recording and one feature.

    Attributes:
        truth: ``yes`` or ``no`` (``na`` for verbal responsiveness only).
        segments: numbers of the windows asked about.
        justification: what the annotator wrote, if anything.
    """

    feature: str
    video_id: str
    patient_id: str
    truth: str
    segments: tuple[int, ...]
    justification: str | None = None


@dataclass(frozen=True)
class FeatureExamples:
    """The examples of one feature by part."""

    feature: str
    train: tuple[Example, ...]
    development: tuple[Example, ...]
    test: tuple[Example, ...]


def divide_patients(
    recording_set: RecordingSet, *, test_fold: str | None = None, folds: int = DRAWN_FOLDS, seed: int = 0
) -> Parts:
    """Divide the patients of a set into train, development and test.

    The folds that the set carries are used where there are three or more; else the patients of its split
    ``test`` are the test and the others are drawn into development (one of ``folds`` - 1) and train; else
    all are drawn into folds.

    Raises:
        FoldError: there are too few patients, or no such fold.
    """
    carried = folds_of(recording_set)
    if len(set(carried.values())) >= 3:
        return _of_folds(carried, test_fold, "folds of the recording set")
    check_patients(len(recording_set.patients), 3, "train, development and test")
    if test_fold is not None:
        has = counted(len(set(carried.values())), "fold") if carried else "no folds"
        raise FoldError(
            f"--test-fold {test_fold}: the recording set has {has}, not three or more → draw them with "
            "`semiology data folds`"
        )
    test = {item.patient_id for item in recording_set.recordings if item.split == TEST_SPLIT}
    if not test:
        folds = min(folds, len(recording_set.patients))
        drawn = draw_folds(recording_set, folds, seed=seed)
        return _of_folds(drawn, None, f"{folds} folds drawn with seed {seed}")
    others = tuple(item for item in recording_set.recordings if item.patient_id not in test)
    patients = len({item.patient_id for item in others})
    check_patients(patients, 2, "beside the split 'test', train and development")
    folds = min(folds - 1, patients)
    drawn = draw_folds(replace(recording_set, recordings=others), folds, seed=seed)
    development = tuple(sorted(name for name, fold in drawn.items() if fold == "0"))
    train = tuple(sorted(name for name, fold in drawn.items() if fold != "0"))
    source = f"split 'test'; development drawn with seed {seed} from the others"
    return Parts(train, development, tuple(sorted(test)), source)


def check_patients(patients: int, least: int, parts: str) -> None:
    """Raise FoldError if there are fewer patients than parts to fill."""
    if patients < least:
        raise FoldError(
            f"{counted(patients, 'patient')}: {parts} need {least} or more → add recordings of other patients"
        )


def left_out(recording_set: RecordingSet, patients: Collection[str]) -> list[str]:
    """Return a caution if some patients of a set are not among those that its folds put into a part."""
    without = [name for name in recording_set.patients if name not in patients]
    if not without:
        return []
    return [f"{counted(len(without), 'patient')} of the set without a fold: asked about nothing"]


def feature_examples(plan: Plan, prompt: Prompt, parts: Parts) -> FeatureExamples:
    """Return the examples of one feature by part, in the set's order.

    Args:
        prompt: any wording of the feature.
    """
    rows = build_documents(prompt.feature, plan, prompt)
    segments: dict[str, list[int]] = {}
    for row in rows:
        segments.setdefault(row["video_id"], []).append(int(row["segment"]))
    by_part: dict[str, list[Example]] = {part: [] for part in PARTS}
    part_of = {patient: part for part in PARTS for patient in getattr(parts, part)}
    for row in rows:
        numbers = segments.pop(row["video_id"], None)
        if numbers is None or row["patient_id"] not in part_of:
            continue
        annotation = plan.recording_set.annotation(row["video_id"], prompt.feature)
        reason = annotation.justification if annotation else None
        asked = Example(
            prompt.feature, row["video_id"], row["patient_id"], row["truth"], tuple(numbers), reason
        )
        by_part[part_of[row["patient_id"]]].append(asked)
    return FeatureExamples(prompt.feature, *(tuple(by_part[part]) for part in PARTS))


def check_examples(examples: FeatureExamples) -> list[str]:
    """Return cautions on a feature's examples, in sentences.

    Raises:
        SearchError: a search is impossible, because train or development holds one class only.
    """
    for part in ("train", "development"):
        truths = {each.truth for each in getattr(examples, part)}
        if len(truths) < 2:
            only = f"only recordings with truth {truths.pop()!r}" if truths else "no recording"
            raise SearchError(
                f"{examples.feature}: the {part} patients have {only}, so no wording can be distinguished from "
                "another → choose another --test-fold, draw other folds (`semiology data folds --seed`), or "
                "leave the feature out"
            )
    if len({each.truth for each in examples.test}) < 2:
        caution = "the test patients have one class only, so the test score says little"
        return [f"{examples.feature}: {caution}; other folds may spread the feature better"]
    return []


def data_fingerprint(recording_set: RecordingSet, parts: Parts, features: Collection[str]) -> str:
    """Return the SHA-256 of what a search rests on: set, truths of its features, and who is in which part."""
    truths = [
        [each.video_id, each.feature, each.present]
        for each in recording_set.annotations
        if each.feature in features
    ]
    patients = [[item.video_id, item.patient_id] for item in recording_set.recordings]
    content = [
        recording_set.name, recording_set.version, sorted(truths), sorted(patients),
        [list(getattr(parts, part)) for part in PARTS],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def _of_folds(folds: Mapping[str, str], test_fold: str | None, source: str) -> Parts:
    splits = nested_splits(folds)
    chosen = splits.get(next(iter(splits)) if test_fold is None else test_fold)
    if chosen is None:
        raise FoldError(f"--test-fold {test_fold}: there is no such fold → use one of {', '.join(splits)}")
    return replace(chosen, source=f"{source}: {chosen.source}")
