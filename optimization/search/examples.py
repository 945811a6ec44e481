"""The recordings that a search for wordings looks at, and which patients may be seen when.

One example is one recording asked about one feature: all its windows, whose answers become one by the rule
of `metrics.scores.aggregation`. Patients, never recordings, are divided into three parts: ``train`` is
shown to the proposer, ``development`` selects, ``test`` is asked once, at the end.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from semiology.data.protection.splits import ALL, DEV, DEVELOP, TEST, hand_out, split_of_patients
from semiology.data.recording_set import RecordingSet
from semiology.optimization.folds.draw import FoldError, Parts, draw_folds, folds_of, natural, nested_splits
from semiology.optimization.search.options import SearchError
from semiology.prompts.library import Prompt
from semiology.render.text import counted
from semiology.tasks.documents import build_documents
from semiology.tasks.plan import Plan

PARTS = ("train", "development", "test")
DRAWN_FOLDS = 4


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
    """Divide the patients of a set into train, development and test; those of the split ``confirm`` are in none.

    Splits come first: patients of ``test`` are the test, those of ``dev`` the development. What they leave open is
    taken from the folds that the set carries, within the patients that remain: for the test where there are three or
    more (``test_fold``), for the development where there are two. What is open then is drawn: the test from the
    data themselves (`data_seed`), so that no seed of a search gives other test patients, the development with
    ``seed``.

    Raises:
        FoldError: there are too few patients, or no such fold.
        ValueError: no patient is to develop on, or a patient is in two splits.
    """
    splits = split_of_patients(recording_set.recordings)
    developed = hand_out(recording_set.recordings, DEVELOP).recordings
    recording_set = replace(recording_set, recordings=developed)
    test = tuple(sorted(patient for patient, split in splits.items() if split == TEST))
    named = tuple(sorted({each.patient_id for each in developed if each.split == DEV}))
    carried = {patient: fold for patient, fold in folds_of(recording_set).items() if patient not in named}
    count = len(set(carried.values()))
    if test and test_fold is not None:
        raise FoldError(
            f"--test-fold {test_fold}: the split 'test' names the test patients, and folds never overrule a split "
            "→ leave --test-fold out"
        )
    if not test and not named and count >= 3:
        return _of_folds(carried, test_fold, "folds of the recording set")
    if test_fold is not None:
        has = counted(count, "fold") if carried else "no folds"
        raise FoldError(
            f"--test-fold {test_fold}: the recording set has {has}, not three or more → draw them with "
            "`semiology data folds`"
        )
    rest = [patient for patient in recording_set.patients if patient not in named]
    source = ["split 'test'"]
    if not test:
        check_patients(
            len(rest), 2 if named else 3, "train and test" if named else "train, development and test"
        )
        test = _drawn(recording_set, rest, folds, data_seed(recording_set))
        source = [f"{counted(len(test), 'test patient')} drawn from the data set itself, whatever the seed"]
        rest = [patient for patient in rest if patient not in test]
        carried = {}
    if named:
        check_patients(len(rest), 1, "beside the splits 'test' and 'dev', train")
        source.append("split 'dev'")
        development = named
    elif count >= 2 and carried:
        first = min(set(carried.values()), key=natural)
        source.append(f"development fold {first} of the recording set")
        development = tuple(sorted(patient for patient, fold in carried.items() if fold == first))
        rest = [patient for patient in rest if patient in carried]
    else:
        check_patients(len(rest), 2, "beside the split 'test', train and development")
        source.append(f"development drawn with seed {seed} from the others")
        development = _drawn(recording_set, rest, folds - 1, seed)
    train = tuple(sorted(set(rest) - set(development)))
    return Parts(train, development, test, "; ".join(source))


def data_seed(recording_set: RecordingSet) -> int:
    """Return a seed that follows from the set's name and its patients, for what no search may draw anew."""
    content = json.dumps([recording_set.name, sorted(recording_set.patients)], ensure_ascii=False)
    return int(hashlib.sha256(content.encode()).hexdigest()[:8], 16)


def _drawn(recording_set: RecordingSet, patients: Collection[str], folds: int, seed: int) -> tuple[str, ...]:
    """Return the patients of one of so many balanced folds of some patients."""
    among = tuple(each for each in recording_set.recordings if each.patient_id in patients)
    drawn = draw_folds(
        replace(recording_set, recordings=among), min(folds, len(patients)), seed=seed, purpose=ALL
    )
    return tuple(sorted(patient for patient, fold in drawn.items() if fold == "0"))


def check_patients(patients: int, least: int, parts: str) -> None:
    """Raise FoldError if there are fewer patients than parts to fill."""
    if patients < least:
        raise FoldError(
            f"{counted(patients, 'patient')}: {parts} need {least} or more → add recordings of other patients"
        )


def left_out(recording_set: RecordingSet, patients: Collection[str]) -> list[str]:
    """Return a caution if some patients of a set are not among those that its splits and folds put into a part."""
    splits = split_of_patients(recording_set.recordings)
    without = Counter(
        f"of the split {splits[name]}"
        if name in splits
        else f"of the set without a {'split' if splits else 'fold'}"
        for name in recording_set.patients
        if name not in patients
    )
    return [f"{counted(number, 'patient')} {whose}: asked about nothing" for whose, number in without.items()]


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
