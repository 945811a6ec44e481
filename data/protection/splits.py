"""Which recordings a command gets: the one door between a recording set and whatever is asked, scored or trained.

The column ``split`` of ``recordings.csv`` says what patients are for: ``train`` and ``dev`` to develop on, ``test``
to score what was chosen, ``confirm`` for the last step. A split holds whole patients: one recording of a patient
that names it puts all of them there. Nobody gets ``confirm`` who does not ask for it by name, and nothing that is
fitted, searched or chosen gets more than `DEVELOP`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from semiology.data.recording_set import Recording, RecordingSet
from semiology.data.tables.cells import CellError
from semiology.render.text import counted
from semiology.render.validation import did_you_mean

TRAIN, DEV, TEST, CONFIRM = SPLITS = ("train", "dev", "test", "confirm")
PROTECTED = (TEST, CONFIRM)
SPELLINGS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "trn", "learn", "learning", "fit"), TRAIN),
    **dict.fromkeys(
        (
            "dev", "devel", "develop", "development", "val", "valid", "validate", "validation",
            "tune", "tuning",
        ),
        DEV,
    ),
    **dict.fromkeys(("test", "tst", "tests", "testing", "eval", "evaluation", "heldout", "holdout"), TEST),
    **dict.fromkeys(
        ("confirm", "conf", "confirming", "confirmation", "confirmatory", "lockbox", "final"), CONFIRM
    ),
}  # fmt: skip
"""Split by spelling, without case, blanks, hyphens, underscores, and the words in `_WORDS` at its end."""
_WORDS = re.compile(r"(set|split|data|fold|patients?|subjects?|partition)$")

SCORE, DEVELOP, ALL = "score", "develop", "all"
PURPOSES: Mapping[str, tuple[str, ...]] = {
    SCORE: (TRAIN, DEV, TEST),
    DEVELOP: (TRAIN, DEV),
    ALL: SPLITS,
    **{name: (name,) for name in SPLITS},
}
"""The splits that each purpose opens; ``score``, what is asked and scored unless another is named, leaves
``confirm`` closed."""
SPLIT_HELP = (
    "Only these patients: train, dev, develop (both), test, confirm or all; by default all but confirm."
)


def parse_split(text: str) -> str:
    """Return the split that a cell or an option names, whatever its case and spelling.

    Raises:
        CellError: It is none; a patient whose split nobody understands would be protected from nothing.

    >>> parse_split("Hold-Out"), parse_split("TEST set"), parse_split("validation")
    ('test', 'test', 'dev')
    """
    plain = re.sub(r"[\s_.\-]+", "", text.casefold())
    for spelling in (plain, _WORDS.sub("", plain)):
        if spelling in SPELLINGS:
            return SPELLINGS[spelling]
    near = did_you_mean(plain, [*SPLITS, CONFIRM])
    raise CellError(
        f"{text!r} is no split{near}",
        f"write {', '.join(SPLITS[:-1])} or {CONFIRM}; folds of a cross-validation go into the column 'fold'",
    )


def parse_purpose(text: str | None, *, setting: str = "--split") -> str:
    """Return the purpose that an option names (`PURPOSES`, or a spelling of a split); ``score`` for none.

    Raises:
        ValueError: There is no such purpose.
    """
    chosen = (text or "").strip()
    if not chosen:
        return SCORE
    if chosen.casefold() in PURPOSES:
        return chosen.casefold()
    try:
        return parse_split(chosen)
    except CellError:
        known = [name for name in PURPOSES if name != SCORE]
        raise ValueError(
            f"{setting} {chosen}: there is no such split{did_you_mean(chosen, known)} → use one of "
            f"{', '.join(known)}"
        ) from None


@dataclass(frozen=True)
class HandedOut:
    """The recordings that one purpose gets.

    Attributes:
        purpose: one of `PURPOSES`.
        recordings: those handed out, in the set's order, each with the split of its patient.
        withheld: number of recordings kept back, by split; ``""`` for those of patients without one.
        not_chosen: number of recordings that the user left out by name or place.
        trained_on: number of recordings left out since the model was trained on their patients.
    """

    purpose: str
    recordings: tuple[Recording, ...]
    withheld: Mapping[str, int]
    not_chosen: int = 0
    trained_on: int = 0

    def protected(self, split: str) -> frozenset[str]:
        """Return the video ids of a protected split among those handed out."""
        return frozenset(each.video_id for each in self.recordings if each.split == split)

    def narrow(self, recording_set: RecordingSet) -> RecordingSet:
        """Return the set with these recordings only: without the annotations and reports of the others."""
        videos = {each.video_id for each in self.recordings}
        return replace(
            recording_set,
            recordings=self.recordings,
            annotations=tuple(each for each in recording_set.annotations if each.video_id in videos),
            reports={name: text for name, text in recording_set.reports.items() if name in videos},
            withheld=recording_set.withheld | {each.video_id for each in recording_set.recordings} - videos,
        )

    def notes(self) -> list[str]:
        """Return in sentences what was kept back, and which confirm recordings are among those handed out."""
        told = []
        for name, number in self.withheld.items():
            what = counted(number, "recording")
            if name == CONFIRM:
                told.append(
                    f"{what} of the split confirm left out → --split confirm opens it, --split all takes every "
                    "recording; either is entered in the ledger"
                )
            elif name:
                told.append(f"{what} of the split {name} left out (--split {self.purpose})")
            else:
                told.append(f"{what} of patients without a split left out → fill the column split")
        if self.not_chosen:
            what = counted(self.not_chosen, "recording")
            told.append(f"{what} left out, which --recordings and --videos do not name")
        if self.trained_on:
            what = counted(self.trained_on, "recording")
            told.append(f"{what} left out, since the model was trained on their patients")
        if opened := self.protected(CONFIRM):
            what = counted(len(opened), "recording")
            told.append(f"{what} of the split confirm opened (--split {self.purpose}), entered in the ledger")
        return told


def split_of_patients(recordings: Iterable[Recording]) -> dict[str, str]:
    """Return the split of each patient who has one.

    Raises:
        ValueError: recordings of a patient are in two splits, or a split is unknown.
    """
    found: dict[str, str] = {}
    for each in recordings:
        if not each.split:
            continue
        try:
            name = parse_split(each.split)
        except CellError as error:
            raise ValueError(f"{each.video_id}: {error} → {error.fix}") from None
        if found.setdefault(each.patient_id, name) != name:
            raise ValueError(
                f"patient {each.patient_id} is in the splits {found[each.patient_id]} and {name} → put all "
                "recordings of a patient into one split"
            )
    return found


def hand_out(
    recordings: Sequence[Recording], purpose: str = SCORE, *, ids: str = "", places: str = ""
) -> HandedOut:
    """Return the recordings that a purpose may use.

    A patient without a split, in a set where others have one, is neither protected nor for training: ``develop``
    gets such patients only where the set names no ``train`` and no ``dev`` patient, ``score`` and ``all`` get them.

    Args:
        recordings: all of a set.
        purpose: one of `PURPOSES`.
        ids: of those that the purpose may use only these: video_ids separated by commas, ``*`` for any letters.
        places: and only these places among them, from 1, in the set's order: ``1-82``, ``1-40,60``, ``400-``.

    Raises:
        ValueError: the purpose gets no recording at all, a patient is in two splits, or ids or places name none.
    """
    splits = split_of_patients(recordings)
    opened = PURPOSES[purpose]
    used = set(splits.values())
    unsplit = purpose in (SCORE, ALL) or (purpose == DEVELOP and not used & {TRAIN, DEV})
    kept, withheld = [], Counter[str]()
    for each in recordings:
        name = splits.get(each.patient_id)
        if name in opened or (name is None and unsplit):
            kept.append(each if each.split == name else replace(each, split=name))
        else:
            withheld[name or ""] += 1
    if recordings and not kept:
        there = ", ".join(sorted(used)) or "none: the column split is empty"
        raise ValueError(
            f"recordings.csv: no recording is of the split {' or '.join(opened)} → there are: {there}"
        )
    chosen = _chosen(recordings, kept, ids, places, purpose)
    return HandedOut(purpose, chosen, withheld, len(kept) - len(chosen))


def _chosen(
    recordings: Sequence[Recording], kept: Sequence[Recording], ids: str, places: str, purpose: str
) -> tuple[Recording, ...]:
    """Return those of the kept recordings that ids and places name.

    Raises:
        ValueError: A name fits no recording, or only one that the purpose may not use; or a place is none.
    """
    wanted = {number - 1 for number in parse_places(places, len(kept))} if places else range(len(kept))
    patterns = [each.strip() for each in ids.split(",") if each.strip()]
    for pattern in patterns:
        if any(fnmatchcase(each.video_id, pattern) for each in kept):
            continue
        if any(fnmatchcase(each.video_id, pattern) for each in recordings):
            raise ValueError(
                f"--recordings {pattern}: is kept back from the purpose {purpose!r} → name its split by --split"
            )
        near = did_you_mean(pattern, [each.video_id for each in kept])
        raise ValueError(f"--recordings {pattern}: no recording has this video_id{near}")
    found = tuple(
        each
        for i, each in enumerate(kept)
        if i in wanted and (not patterns or any(fnmatchcase(each.video_id, one) for one in patterns))
    )
    if kept and not found:
        raise ValueError(
            f"--recordings {ids}, --videos {places}: name no recording together → give one of them"
        )
    return found


def parse_places(text: str, count: int) -> frozenset[int]:
    """Return the numbers that a list of ranges names, both ends included.

    Raises:
        ValueError: A part is no range, or lies outside 1 to ``count``.

    >>> sorted(parse_places("1-3, 7, 9-", 10))
    [1, 2, 3, 7, 9, 10]
    """
    found: set[int] = set()
    for part in filter(None, (each.strip() for each in text.split(","))):
        parsed = re.fullmatch(r"(\d+)(?:(-)(\d*))?", part)
        first = int(parsed[1]) if parsed else 0
        last = (int(parsed[3]) if parsed[3] else count if parsed[2] else first) if parsed else 0
        if not 1 <= first <= last <= count:
            raise ValueError(
                f"--videos {part}: is no range of places within 1-{count} → count the recordings that are handed "
                "out from 1, such as 1-82 or 1-40,60"
            )
        found |= set(range(first, last + 1))
    return frozenset(found)
