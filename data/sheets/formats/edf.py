"""Annotations of EDF+ and BDF+ files, through pyedflib; the signals and the patient's name are not read."""

from __future__ import annotations

from pathlib import Path

from semiology.data.sheets.formats.events import Event, package_missing, unreadable


def edf_events(path: Path) -> list[Event]:
    """Return the annotations of a file; times count from its start.

    Raises:
        RecordingSetError: the file is no EDF+ file, or pyedflib is missing.
    """
    try:
        import pyedflib
    except ImportError:
        raise package_missing(path, "pyEDFlib") from None
    try:
        with pyedflib.EdfReader(str(path), pyedflib.READ_ALL_ANNOTATIONS) as reader:
            onsets, durations, texts = reader.readAnnotations()
    except (OSError, ValueError, RuntimeError) as error:
        raise unreadable(path, "EDF+ file", error) from None
    return [
        Event(
            path.stem,
            str(text).strip(),
            float(onset),
            float(onset) + float(length) if float(length) > 0 else None,
        )
        for onset, length, text in zip(onsets, durations, texts, strict=True)
    ]
