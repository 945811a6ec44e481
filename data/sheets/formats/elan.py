"""ELAN's annotation files (.eaf), through pympi."""

from __future__ import annotations

import warnings
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from semiology.data.sheets.formats.events import Event, package_missing, unreadable
from semiology.data.sheets.terms import heading_of, key_of, terms
from semiology.features import FEATURES


def elan_events(path: Path) -> list[Event]:
    """Return the annotations of all tiers: a tier named after a feature, or tiers whose texts name features.

    Raises:
        RecordingSetError: the file is no ELAN file, or pympi is missing.
    """
    try:
        from pympi.Elan import Eaf
    except ImportError:
        raise package_missing(path, "pympi-ling") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of newer versions of the format, which only add to it
            eaf = Eaf(str(path))
            tiers = {name: eaf.get_annotation_data_for_tier(name) for name in eaf.get_tier_names()}
            media = [dict(each).get("MEDIA_URL", "") for each in eaf.media_descriptors]
    except Exception as error:  # noqa: BLE001 (pympi raises Exception itself)
        raise unreadable(path, "ELAN file", error) from None
    video = PurePosixPath(unquote(media[0])).name if media and media[0] else path.stem
    events = []
    for tier, marks in tiers.items():
        named = heading_of(tier).role in FEATURES
        for start, end, value, *_ in marks:
            text = str(value or "").strip()
            onset, offset = (None if time is None else time / 1000 for time in (start, end))
            if not named:
                events.append(Event(video, text, onset, offset))
                continue
            key = key_of(text)
            side = text if key in terms().sides else ""
            present = text if key in terms().present else ""
            events.append(Event(video, tier, onset, offset, side, "" if side or present else text, present))
    return events
