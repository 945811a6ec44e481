"""What recordings are called in a report: their own ids if these are opaque, new opaque ones if not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from semiology.data.deidentify.opaque_ids import opaque_ids

if TYPE_CHECKING:
    import pandas as pd

_OPAQUE = re.compile(r"[A-Za-z]{1,3}\d{1,4}([_-][A-Za-z]{1,3}\d{1,4})?")


def opaque_names(answers: pd.DataFrame, *, keep: bool = False) -> tuple[dict[str, str], bool]:
    """Return what each video is called, in the order of these names, and whether names were replaced.

    Args:
        answers: columns video_id and patient_id.
        keep: keep the ids as they are, for pages that stay where the recordings are.

    An id is taken for opaque if it is at most three letters and four digits, once or twice (``P001_V01``);
    longer numbers may be those of a hospital. If any id is not opaque, all are replaced; the same recordings
    get the same new names.
    """
    pairs = answers[["patient_id", "video_id"]].drop_duplicates().astype(str)
    videos = sorted(pairs["video_id"])
    if keep or all(_OPAQUE.fullmatch(video) for video in videos):
        return {video: video for video in videos}, False
    named = opaque_ids(zip(pairs["patient_id"], pairs["video_id"], strict=True), seed=0).videos
    return dict(sorted(named.items(), key=lambda item: item[1])), True
