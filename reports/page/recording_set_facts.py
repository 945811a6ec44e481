"""What a page takes from a recording set: when features were seen, how long recordings are, where videos lie."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class RecordingSetFacts:
    """Facts by video id.

    Attributes:
        bars: [onset, offset] in seconds of each feature that an expert timed, by feature and video; the offset
            is None where it was not given.
        lengths: seconds of recordings whose length the set states.
        videos: address of each video relative to the page; empty unless they may be shown.
        splits: name of the split of each recording that has one.
    """

    bars: Mapping[str, Mapping[str, list[float | None]]]
    lengths: Mapping[str, float]
    videos: Mapping[str, str]
    splits: Mapping[str, str]


def recording_set_facts(data: Path, page_folder: Path, *, with_videos: bool) -> RecordingSetFacts:
    """Read a recording set.

    Args:
        data: its folder.
        page_folder: where the page will lie; addresses of videos are relative to it.
        with_videos: whether the page may play the videos. They are linked, never copied.

    Raises:
        ValueError: the set has faults, or a video lies where no relative path leads.
    """
    from semiology.data.tables.reading import read_recording_set

    recordings = read_recording_set(data, require_media=with_videos)
    bars: dict[str, dict[str, list[float | None]]] = {}
    for item in recordings.annotations:
        if item.present == "yes" and item.onset_s is not None:
            bars.setdefault(item.feature, {})[item.video_id] = [item.onset_s, item.offset_s]
    return RecordingSetFacts(
        bars,
        {r.video_id: r.duration_s for r in recordings.recordings if r.duration_s is not None},
        {r.video_id: _address(r.video, page_folder) for r in recordings.recordings} if with_videos else {},
        {r.video_id: r.split for r in recordings.recordings if r.split},
    )


def _address(video: Path, page_folder: Path) -> str:
    try:
        relative = os.path.relpath(video.resolve(), page_folder.resolve())
    except ValueError as error:
        raise ValueError(
            f"{video.name}: lies on another drive than the report → write the report beside the recordings"
        ) from error
    return quote(Path(relative).as_posix())
