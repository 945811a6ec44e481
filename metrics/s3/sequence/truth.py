"""With which order of features a sequence is compared: that of the visible features, or the audiovisual one.

A model that was played the sound of a recording can know when the patient spoke or cried out; one that was
not can only guess. The published task 5 therefore compares the models that hear with the `audiovisual` order
(17 visual features and the two of sound) and all others with the `visual` one, although it asks all of them in
the same words for visual features alone. It takes for hearing every model with "omni" in its name; here it is
decided for each recording by whether the model was really given its sound.

Source: task 5 in the metric files of the repository of arXiv 2605.21852.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

VISUAL, AUDIOVISUAL = "visual", "audiovisual"


class TruthCounts(NamedTuple):
    """Recordings by the order that their sequence is compared with.

    Attributes:
        visual: the model heard nothing.
        audiovisual: the model heard the recording.
        unknown: the model heard it, and when a feature of sound began is not annotated: compared with the visual
            order.
    """

    visual: int
    audiovisual: int
    unknown: int


def as_perceived(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the truth and the onsets that a model could know by what it was given.

    Args:
        frame: columns truth and onsets (visual); and optionally heard (whether the model was played the
            sound) and onsets_audiovisual (onset by feature, None where it is not known).
    """
    import pandas as pd

    if "heard" not in frame.columns or "onsets_audiovisual" not in frame.columns:
        return frame
    onsets = [
        known if heard and isinstance(known, dict) else visual
        for heard, known, visual in zip(
            frame["heard"], frame["onsets_audiovisual"], frame["onsets"], strict=True
        )
    ]
    truths = [
        list(found) if isinstance(found, dict) else list(truth)
        for found, truth in zip(onsets, frame["truth"], strict=True)
    ]
    columns = {"onsets": onsets, "truth": truths}
    return frame.assign(
        **{name: pd.Series(values, index=frame.index, dtype=object) for name, values in columns.items()}
    )


def truth_counts(frame: pd.DataFrame) -> TruthCounts:
    """Count the recordings by the order that `as_perceived` gives them."""
    if "heard" not in frame.columns or "onsets_audiovisual" not in frame.columns:
        return TruthCounts(len(frame), 0, 0)
    known = [isinstance(onsets, dict) for onsets in frame["onsets_audiovisual"]]
    heard = [value is True for value in frame["heard"]]
    both = sum(a and b for a, b in zip(heard, known, strict=True))
    return TruthCounts(len(frame) - sum(heard), both, sum(heard) - both)
