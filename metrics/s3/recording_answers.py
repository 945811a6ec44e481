"""From the records of windows to one answer per recording: the frame that the metrics read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from semiology.metrics.coverage import UNPARSED
from semiology.metrics.s3.merge_windows import (
    TextMerger,
    merge_justifications,
    merge_reports,
    merge_sequences,
)

if TYPE_CHECKING:
    import pandas as pd

AnswerKind = Literal["justification", "side", "region", "time", "sequence", "report", "diagnosis"]
Record = Mapping[str, Any]


def recording_answers(
    kind: AnswerKind, records: Iterable[Record], merge: TextMerger | None = None
) -> pd.DataFrame:
    """Return one row per recording, feature and form of clip, from the records of one task in one wording.

    Columns: video_id, patient_id, feature, clip_form, truth, answer (merged; ``unparsed`` where no window
    has one), segments, unparsed_segments, and by kind justification and reference; onsets,
    onsets_audiovisual and heard; clip_s (length of what was shown, None where not recorded); or shown.
    Texts are merged by ``merge``, by default extractively.

    Raises:
        ValueError: A window is answered twice.
    """
    import pandas as pd

    groups: dict[tuple[str, str, str | None], list[Record]] = defaultdict(list)
    for record in records:
        groups[record["feature"], record["video_id"], record["clip_form"]].append(record)
    rows = []
    for _, group in sorted(groups.items(), key=lambda item: repr(item[0])):
        windows = sorted(group, key=lambda record: record["segment"])
        first, answers = windows[0], [record["answer"] for record in windows]
        if len({record["segment"] for record in windows}) != len(windows):
            raise ValueError(
                f"a window of {first['video_id']} ({first['feature']}) is answered twice → keep one run of each "
                "model and wording"
            )
        row = {name: first[name] for name in ("video_id", "patient_id", "feature", "clip_form", "truth")}
        row["segments"] = len(windows)
        row["unparsed_segments"] = sum(answer in (None, UNPARSED) for answer in answers)
        rows.append(row | _merged(kind, windows, answers, merge))
    return pd.DataFrame(rows)


def _merged(
    kind: AnswerKind, windows: list[Record], answers: list[Any], merge: TextMerger | None
) -> dict[str, Any]:
    """Return the merged answer and what else the metrics of this kind read."""
    first = windows[0]
    if kind == "justification":
        given = [(record["answer"], record["justification"]) for record in windows]
        answer, text = merge_justifications(first["feature"], given, merge)
        return {"answer": answer, "justification": text, "reference": first["reference"]}
    if kind == "sequence":
        read = [answer for answer in answers if answer is not None]
        onsets = dict(zip(first["truth"], first["onsets_s"], strict=True))
        later = first.get("onsets_audiovisual_s")
        known = None if later is None else dict(zip(first["truth_audiovisual"], later, strict=True))
        return {
            "answer": merge_sequences(read) if read else UNPARSED,
            "onsets": onsets,
            "onsets_audiovisual": known,
            "heard": first.get("heard") is True,
        }
    if kind == "report":
        text = merge_reports(answers, merge)
        return {"answer": UNPARSED if text is None else text, "shown": first["shown"]}
    if kind == "time":
        seconds = answers[0]
        begin, end = first.get("start_s"), first.get("end_s")
        length = None if begin is None or end is None else float(end) - float(begin)
        return {"answer": UNPARSED if seconds is None else seconds, "clip_s": length}
    return {"answer": answers[0]}
