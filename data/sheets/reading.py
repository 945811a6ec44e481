"""From a sheet to recordings and annotations: nothing is guessed in silence, nothing is lost untold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import cast

from semiology.data.deidentify.opaque_ids import opaque_ids
from semiology.data.recording_set import Annotation, Recording, Side
from semiology.data.sheets.clocks import starts_of, time_choices
from semiology.data.sheets.grid import Grid, text_of
from semiology.data.sheets.layout import Laid, lay_out, nearly
from semiology.data.sheets.mapping import Notes, SheetMapping
from semiology.data.sheets.names import FILM_SUFFIXES, Film, check_zeros, matched, must_be_new, patients_of
from semiology.data.sheets.recordings import OF_RECORDINGS, recordings_of
from semiology.data.sheets.rows import Line, lines_of
from semiology.data.sheets.terms import heading_of, key_of, terms
from semiology.data.sheets.times import Clock
from semiology.data.sheets.values import CellReader, Said
from semiology.data.tables.consistency import OFFSET_TOLERANCE_S
from semiology.features import FEATURES
from semiology.render.text import counted


@dataclass(frozen=True)
class SheetContent:
    """What a sheet holds.

    Attributes:
        recordings: their videos are those of the films that were found, or ``videos/<id>.mp4``, relative.
        source_names: the name in the sheet, or of the film, by video id.
    """

    recordings: tuple[Recording, ...]
    annotations: tuple[Annotation, ...]
    reports: Mapping[str, str]
    source_names: Mapping[str, str]


def read_sheet(
    grids: Sequence[Grid],
    mapping: SheetMapping,
    notes: Notes,
    films: Mapping[str, Film],
    known: Mapping[str, Recording] | None = None,
) -> tuple[SheetContent | None, SheetMapping]:
    """Return what a sheet holds, None while a question of ``notes`` is open, and how it was read.

    Args:
        grids: the sheets of the file.
        mapping: what is known of how to read it.
        notes: takes what there is to tell and to ask.
        films: by the names that join them to tables.
        known: recordings of a set that is there already, by id; the sheet must then be about these.

    Raises:
        RecordingSetError: there is no table of features in the sheets.
    """
    laid, mapping = lay_out(grids, mapping, notes)
    if laid is None:
        return None, mapping
    lines = list(lines_of(laid, grids, mapping, notes, patients=known is None))
    names = list(dict.fromkeys(line.video for line in lines))
    found = matched(names, list(known or films), notes, "recording" if known else "film")
    if films and known is None:
        _tell_unmatched(names, found, films, notes)
    film_of = {name: films[hit] for name, hit in found.items() if hit in films}
    lengths = {name: film.duration_s for name, film in film_of.items()}
    starts = starts_of(laid, lines, notes)
    mapping = time_choices(laid, lines, mapping, notes, film_of, starts)
    clock = Clock("s", mapping.times or "", mapping.two_groups or "mm:ss", mapping.fps)
    reader = CellReader(mapping, clock, notes)
    said = _said_in_rows(laid, lines, reader, starts)
    mapping = _about_empty(said, names, mapping, notes)
    if known is not None:
        lines = [line for line in lines if _is_known(line, found, notes)]
        ids = {line.video: found[line.video] for line in lines}
        others = {line.video for line in lines if line.patient not in ("", known[ids[line.video]].patient_id)}
        if others:
            notes.remarks.append(
                f"the patients of {counted(len(others), 'recording')} are called otherwise in recordings.csv, which "
                f"stays as it is: {', '.join(sorted(others)[:5])}"
            )
        if left := [laid.headings[laid.columns[role]] for role in OF_RECORDINGS if role in laid.columns]:
            notes.remarks.append(
                f"recordings.csv stays as it is: not used were the columns {', '.join(left)}"
            )
    else:
        lines, ids, mapping = _ids(laid, lines, mapping, notes)
    if notes.questions:
        return None, mapping
    annotations = _annotations(said, ids, lengths, mapping, notes, lines)
    recordings, reports = recordings_of(laid, lines, ids, film_of, notes) if known is None else ((), {})
    sources = {ids[name]: film_of[name].path.name if name in film_of else name for name in ids}
    return SheetContent(tuple(recordings), tuple(annotations), reports, sources), mapping


def _tell_unmatched(
    names: Sequence[str], found: Mapping[str, str], films: Mapping[str, Film], notes: Notes
) -> None:
    """Tell which recordings have no film, and which films no row."""
    missing = [name for name in names if name not in found]
    idle = [film.path.name for name, film in films.items() if name not in found.values()]
    for what, each in (("no film was found for", missing), ("no row is about the films", idle)):
        if each:
            more = f" and {len(each) - 20} more" if len(each) > 20 else ""
            notes.remarks.append(f"{what} {', '.join(each[:20])}{more}")
    for name, hit in found.items():
        if films[hit].fault:
            notes.remarks.append(f"{name}: {films[hit].fault}")


@dataclass(frozen=True)
class _Answer:
    """What one row says of one feature."""

    line: Line
    feature: str
    said: Said
    justification: str = ""


def _said_in_rows(
    laid: Laid, lines: Sequence[Line], reader: CellReader, starts: Mapping[str, float]
) -> list[_Answer]:
    found = []
    for line in lines:
        start = starts.get(line.video)
        listed = laid.layout == "long"
        named = _feature_named(laid, line, reader) if listed else [(name, None) for name in laid.features]
        for feature, side in named:
            prefix, cell_role = ("", "present") if listed else (f"{feature}.", feature)
            said = _with_parts(laid, line, reader, prefix, cell_role, start)
            if side and said.present == "yes" and said.side is None:
                said = replace(said, side=side)
            text = laid.text(line.row, f"{prefix}justification")
            found.append(_Answer(line, feature, said, text))
    return found


def _feature_named(laid: Laid, line: Line, reader: CellReader) -> list[tuple[str, Side | None]]:
    """Return the feature that a row of a list names, with its side if the name has one: ``Head turning left``.

    One that is not clear is asked about once, one that is unknown is noted; there is no feature then.
    """
    text = laid.text(line.row, "feature")
    own = {key_of(heading): role for heading, role in reader.mapping.columns.items()}
    role = own.get(key_of(text), "")
    heading = heading_of(text)
    name, side = role or heading.role, None
    if not name and not heading.choices:
        name, side = _with_side(text)
    if name == "ignore":
        return []
    if name in FEATURES:
        if name != text:
            taken = f"{name}, side {side}" if side else name
            reader.notes.change(laid.headings[laid.columns["feature"]], text, taken, line.number)
        return [(name, side)]
    if not text:
        reader.notes.not_used(line.number, "the row names no feature", "fill it in, or delete the row")
        return []
    choices = heading.choices or tuple(filter(None, [nearly(text)]))
    if choices:
        reader.notes.ask(
            f"columns.{text}", f"Row {line.number}: which feature is {text!r}?",
            *((choice, f"read as {choice}") for choice in choices), ("ignore", "leave such rows out"),
        )  # fmt: skip
    else:
        reader.notes.not_used(
            line.number,
            f"{text!r} is none of the {len(FEATURES)} features",
            f"--choose 'columns.{text}=FEATURE' if it is one",
        )
    return []


def _with_side(text: str) -> tuple[str, Side | None]:
    """Return the feature and the side of a name that has both, or an empty name."""
    words = key_of(text).split()
    for at, rest in ((0, words[1:]), (-1, words[:-1])):
        side = terms().sides.get(words[at]) if rest else None
        if side and (feature := heading_of(" ".join(rest)).role) in FEATURES:
            return feature, cast(Side, side)
    return "", None


def _with_parts(
    laid: Laid, line: Line, reader: CellReader, prefix: str, cell_role: str, start: float | None
) -> Said:
    """Return what the cells about one feature say together."""

    def heading(role: str) -> str:
        return laid.headings[laid.columns[role]]

    listed = cell_role == "present" and "present" not in laid.columns
    said = Said("yes") if listed else Said()
    for role in (cell_role, f"{prefix}present"):
        if role in laid.columns and said == Said():
            said = reader.said(laid.cell(line.row, role), heading(role), line.number, start)
    if (role := f"{prefix}span") in laid.columns and text_of(laid.cell(line.row, role)):
        spanned = reader.said(laid.cell(line.row, role), heading(role), line.number, start)
        said = replace(spanned, present=said.present or spanned.present, side=said.side)
    for part in ("onset", "offset"):
        if (role := f"{prefix}{part}") in laid.columns:
            unit = laid.units.get(laid.columns[role], reader.mapping.units.get(heading(role), ""))
            cell, shown = laid.cell(line.row, role), laid.shown(line.row, role)
            value = reader.seconds(cell, heading(role), line.number, start, shown, unit)
            if value is not None:
                said = replace(said, onset=value) if part == "onset" else replace(said, offset=value)
    if (role := f"{prefix}side") in laid.columns:
        side = reader.side(laid.text(line.row, role), heading(role), line.number)
        said = replace(said, side=side or said.side)
    if said.present is None and (said.onset is not None or said.side):
        reader.notes.change(
            prefix.rstrip(".") or "rows", "a time or side without yes or no", "yes", line.number
        )
        said = replace(said, present="yes")
    return said


def _about_empty(
    said: Sequence[_Answer], names: Sequence[str], mapping: SheetMapping, notes: Notes
) -> SheetMapping:
    """Return the mapping with what an empty cell means; ask where the sheet says yes and nothing else."""
    if mapping.empty is not None or notes.questions:
        return mapping
    answers = Counter(each.said.present for each in said)
    pairs = len(names) * len({each.feature for each in said})
    said_of = len({(each.line.video, each.feature) for each in said if each.said.present})
    if said_of == pairs or not answers["yes"]:
        return mapping
    if answers["no"]:
        notes.change("features", "nothing, beside yes and no", "not annotated")
        return mapping.model_copy(update={"empty": "unannotated"})
    notes.ask(
        "empty",
        f"The sheet says yes {counted(answers['yes'], 'time')} and never no. What does it mean where it says nothing?",
        ("no", "the feature was looked for and is absent"),
        ("unannotated", "nobody said: it is not scored"),
    )
    return mapping


def _is_known(line: Line, found: Mapping[str, str], notes: Notes) -> bool:
    if line.video not in found:
        notes.not_used(
            line.number,
            f"the set has no recording {line.video!r}",
            "write its video_id, or add it to recordings.csv",
        )
    return line.video in found


def _ids(
    laid: Laid, lines: Sequence[Line], mapping: SheetMapping, notes: Notes
) -> tuple[list[Line], dict[str, str], SheetMapping]:
    """Return the rows with patients, the video id of each recording's name, and the mapping."""
    videos = list(dict.fromkeys(line.video for line in lines))
    if "patient" not in laid.columns and not any(line.patient for line in lines):
        by_video = patients_of(videos, mapping, notes)
        lines = [replace(line, patient=by_video.get(line.video, "")) for line in lines]
    counts = check_zeros([line.patient for line in lines if line.patient], "patient", mapping, notes)
    lines = [replace(line, patient=counts.get(line.patient, line.patient)) for line in lines]
    same = check_zeros(videos, "recording", mapping, notes)
    owners: dict[str, set[str]] = {}
    for line in lines:
        owners.setdefault(same[line.video], set()).add(line.patient)
    kept = []
    for line in lines:
        if line.patient or notes.questions:
            kept.append(line)
        else:
            notes.not_used(line.number, f"the patient of {line.video!r} is not named", "fill it in")
    if any(len(patients - {""}) > 1 for patients in owners.values()):
        notes.change("recording", "names that repeat between patients", "PATIENT_NAME")
        kept = [replace(line, video=f"{line.patient}_{line.video}") for line in kept]
        same = {line.video: line.video for line in kept}
    names = {line.video: _stem(same[line.video]) for line in kept}
    why = must_be_new([*names.values(), *(line.patient for line in kept)])
    if mapping.ids == "new" or (mapping.ids is None and why):
        pairs = {(line.patient, names[line.video]) for line in kept}
        new = opaque_ids(pairs, 0)
        if why:
            notes.change("ids", why, "new ids in random order, such as P001_V01")
        kept = [replace(line, patient=new.patients[line.patient]) for line in kept]
        return (
            kept,
            {video: new.videos[name] for video, name in names.items()},
            mapping.model_copy(update={"ids": "new"}),
        )
    return kept, names, mapping


def _stem(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in FILM_SUFFIXES else path.name


def _annotations(
    said: Sequence[_Answer],
    ids: Mapping[str, str],
    lengths: Mapping[str, float | None],
    mapping: SheetMapping,
    notes: Notes,
    lines: Sequence[Line],
) -> list[Annotation]:
    """Return one annotation per recording and feature; the first event stands for several."""
    of_row = {line.row: line for line in lines}
    found: dict[tuple[str, str], Annotation] = {}
    withheld: set[tuple[str, str]] = set()
    for each in said:
        line = of_row.get(each.line.row)
        if line is None:
            continue
        present = each.said.present
        if present is None:
            if each.said.withheld:
                withheld.add((ids[line.video], each.feature))
            if each.justification:
                notes.not_used(
                    line.number, f"{each.feature}: has a comment, but neither yes nor no", "fill it in"
                )
            continue
        times = _times(each, lengths.get(each.line.video), notes)
        item = Annotation(
            ids[line.video], each.feature, present, *times, each.said.side if present == "yes" else None,
            each.justification or None,
        )  # fmt: skip
        key = (item.video_id, item.feature)
        found[key] = _merged(found[key], item, line, notes) if key in found else item
    if mapping.empty == "no":
        features = list(dict.fromkeys(each.feature for each in said))
        for video_id in dict.fromkeys(ids[line.video] for line in lines):
            for feature in features:
                if (video_id, feature) not in found and (video_id, feature) not in withheld:
                    found[video_id, feature] = Annotation(video_id, feature, "no")
                    notes.change("features", "nothing", "no")
    return list(found.values())


def _times(each: _Answer, length: float | None, notes: Notes) -> tuple[float | None, float | None]:
    onset, offset = each.said.onset, each.said.offset
    if each.said.present != "yes":
        if onset is not None:
            notes.not_used(
                each.line.number, f"{each.feature}: has a time, but is not present", "correct one of them"
            )
        return None, None
    if onset is not None and offset is not None and offset < onset:
        notes.not_used(
            each.line.number,
            f"{each.feature}: ends ({offset:g} s) before it begins ({onset:g} s)",
            "correct the times",
        )
        return None, None
    end = max(value for value in (onset, offset, 0.0) if value is not None)
    if length is not None and end > length + OFFSET_TOLERANCE_S:
        notes.not_used(
            each.line.number,
            f"{each.feature}: {end:g} s is behind the end of the film ({length:g} s)",
            "correct the times",
        )
        return None, None
    return onset, offset


def _merged(first: Annotation, other: Annotation, line: Line, notes: Notes) -> Annotation:
    """Return what two rows about one feature of one recording say together."""
    if first.present != other.present and "na" not in (first.present, other.present):
        if first.present == "no" or other.present == "no":
            notes.not_used(
                line.number, f"{first.video_id}, {first.feature}: {first.present} above, used; {other.present} here",
                "correct one of them",
            )  # fmt: skip
        return first
    earlier, later = sorted(
        (first, other), key=lambda item: (item.present != "yes", item.onset_s is None, item.onset_s or 0.0)
    )
    if earlier != later:
        notes.change(first.feature, "several events in a recording", "the first one's times", line.number)
    texts = dict.fromkeys(filter(None, (first.justification, other.justification)))
    sides = {item.side for item in (first, other) if item.side and item.present == "yes"}
    side = earlier.side if len(sides) < 2 else "both"
    if len(sides) > 1:
        notes.change(first.feature, "events on several sides", "both", line.number)
    return replace(
        earlier,
        justification="; ".join(texts) or None,
        side=side or (sides.pop() if len(sides) == 1 else None),
    )
