"""The scores of one run of a stroke-rehabilitation task, from the records of its questions.

A *record* is what a question's reply became: a mapping with ``part``, ``question_id``, ``kind``, ``video_id``,
``subject``, ``group``, ``severity``, ``activity``, ``window``, ``windows`` (how many the video has), ``start_s``,
``end_s``, ``raw``, and the truth: ``truth`` (activity or score) or ``truth_runs`` (on a video's first window). A video
whose windows are not all there is left out and counted, unless partial videos are allowed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semiology.metrics.statistics.bootstrap import mean_estimate, share_estimate
from semiology.metrics.statistics.intervals import Estimate
from semiology.metrics.strokerehab.baselines import (
    LabelledVideo,
    constant,
    dose_errors,
    mean_dose,
    mean_rate,
    other_subjects_mode,
)
from semiology.metrics.strokerehab.fugl_meyer import (
    ImpairmentScores,
    Score,
    constant_scores,
    impairment_scores,
)
from semiology.metrics.strokerehab.fugl_meyer_rules import (
    TouchWindow,
    answer_score,
    item_score,
    movement_time,
    time_score,
    touch_windows,
    touched_again,
    windowed_score,
)
from semiology.metrics.strokerehab.identification import NONE, macro_f1, majority_accuracy
from semiology.metrics.strokerehab.primitives import (
    WITHIN,
    SequenceScores,
    primitives_of_axes,
    sequence_scores,
)
from semiology.metrics.strokerehab.replies import (
    Profile,
    read_activity,
    read_count,
    read_one_primitive,
    read_primitives,
    read_state_machine,
    read_yes_no,
)
from semiology.metrics.strokerehab.window_labels import (
    AXES,
    Axis,
    AxisCounts,
    Mixed,
    axis_comparison,
    confusion_pairs,
    seconds_right,
    window_confusion,
)
from semiology.strokerehab import ACTIVITIES, Run, Window, parsed_runs

Record = Mapping[str, Any]
RATED_WINDOW_BY_WINDOW = (31, 32)
TIMED = 33
PLACES = ("knee", "nose")
CONTACT = "contact"
"""The wording of item 33 that asks whether the finger is at a place, not how often it touches it."""


@dataclass(frozen=True)
class ScoredVideo:
    """One video whose primitives were asked about.

    Attributes:
        labelled: id, subject, activity and labels.
        severity: group of severity, or empty.
        words: what the windows were read as, in time order.
        scores: against the labels.
        windows: as asked about.
        axes: motion and grasp as answered for each window; {} for tasks that ask for words.
        window_words: one primitive for each window; () for tasks that ask for lists.
        invalid: replies that could not be read. several: of those that should hold one primitive, how many hold more.
        replies: all.
    """

    labelled: LabelledVideo
    severity: str
    words: tuple[str, ...]
    scores: SequenceScores
    windows: tuple[Window, ...]
    axes: Mapping[Axis, Sequence[bool]]
    window_words: tuple[str, ...]
    invalid: int
    several: int
    replies: int


@dataclass(frozen=True)
class PrimitiveRun:
    """All videos of a run, and the ids of those left out because windows are missing."""

    videos: tuple[ScoredVideo, ...]
    left_out: tuple[str, ...]

    def column(self, name: str) -> list[float]:
        """Return one of the `SequenceScores` of every video."""
        return [float(getattr(video.scores, name)) for video in self.videos]

    @property
    def subjects(self) -> list[str]:
        """The subject of every video."""
        return [video.labelled.subject for video in self.videos]

    @property
    def labelled(self) -> list[LabelledVideo]:
        """What baselines may know of every video."""
        return [video.labelled for video in self.videos]


def score_primitives(
    records: Sequence[Record], profile: Profile = "fixed", *, partial: bool = False
) -> PrimitiveRun:
    """Return the scores of every video of the primitive and counting tasks.

    Args:
        records: of one task and wording.
        profile: how replies are read.
        partial: score videos with windows missing too.
    """
    by_video: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_video[record["video_id"]].append(record)
    videos, left_out = [], []
    for video, rows in by_video.items():
        runs = parsed_runs(next((row["truth_runs"] for row in rows if row["truth_runs"]), ""))
        if not runs or not (partial or _complete(rows)):
            left_out.append(video)
        else:
            videos.append(_scored(rows, runs, profile))
    return PrimitiveRun(tuple(videos), tuple(left_out))


def _complete(rows: Sequence[Record]) -> bool:
    asked = Counter(row["window"] for row in rows)
    questions = len({row["question_id"] for row in rows})
    return (
        len(asked) == rows[0]["windows"]
        and set(asked.values()) == {questions}
        and questions == rows[0]["questions"]
    )


def reply_of(row: Record, profile: Profile) -> str | None:
    """Return the reply of a record as a profile reads it: as it came (``paper``), or what the model said in it.

    What was said, without reasoning, refusals and offers, is written by the task; older records have no such field.
    """
    reply: str | None = row["raw"] if profile == "paper" else row.get("said", row["raw"])
    return reply


def _scored(rows: Sequence[Record], runs: tuple[Run, ...], profile: Profile) -> ScoredVideo:
    ordered = sorted(rows, key=lambda row: row["window"])
    first = ordered[0]
    windows = {row["window"]: Window(row["start_s"], row["end_s"]) for row in ordered}
    invalid = several = 0
    said: dict[Axis, list[bool]] = {}
    window_words: list[str] = []
    stored = {
        row["window"]: found
        for row in ordered
        if (found := read_state_machine(reply_of(row, profile))) is not None
    }
    if stored:  # a wrapper that answers with primitives
        by_window = [stored.get(number, []) for number in windows]
        words = [word for found in by_window for word in found]
        # Of two halves of a window the second begins at its middle.
        window_words = [found[len(found) // 2] if found else "idle" for found in by_window]
        said = {axis: [word in AXES[axis] for word in window_words] for axis in AXES}
    elif {row["question_id"] for row in ordered} & set(AXES):
        for axis in AXES:
            replies = {row["window"]: reply_of(row, profile) for row in ordered if row["question_id"] == axis}
            read = [read_yes_no(replies.get(number), profile) for number in windows]
            invalid += sum(value is None for value in read)
            said[axis] = [bool(value) for value in read]
        starts = [window.start_s for window in windows.values()]
        words = window_words = primitives_of_axes(starts, said["motion"], said["grasp"])
    elif first["kind"] == "primitive":
        read_words = [read_one_primitive(reply_of(row, profile), profile) for row in ordered]
        words = [word for found in read_words for word in found.primitives]
        invalid = sum(not found.primitives for found in read_words)
        several = sum(found.several for found in read_words)
        if len(ordered) == len(windows):
            window_words = [found.primitives[0] if found.primitives else "" for found in read_words]
    else:
        lists = [read_primitives(reply_of(row, profile)) for row in ordered]
        words = [word for found in lists for word in found]
        invalid = sum(not found for found in lists)
    return ScoredVideo(
        labelled=LabelledVideo(first["video_id"], first["subject"], first["activity"], runs),
        severity=first["severity"] or "",
        words=tuple(words),
        scores=sequence_scores(words, [run.primitive for run in runs]),
        windows=tuple(windows.values()),
        axes=said,
        window_words=tuple(window_words),
        invalid=invalid,
        several=several,
        replies=len(ordered),
    )


def axis_totals(run: PrimitiveRun) -> dict[tuple[Axis, str, Mixed], AxisCounts]:
    """Return the counts of both axes over all videos (see `axis_comparison`); {} for tasks that ask for words."""
    totals: dict[tuple[Axis, str, Mixed], AxisCounts] = {}
    for video in run.videos:
        for key, counts in axis_comparison(video.labelled.runs, video.windows, video.axes).items():
            totals[key] = totals[key] + counts if key in totals else counts
    return totals


def axis_time_accuracy(run: PrimitiveRun, axis: Axis) -> float:
    """Return the share of labelled time in which an axis is answered as labelled; NaN without any."""
    pairs = [
        seconds_right(video.labelled.runs, video.windows, video.axes[axis], axis)
        for video in run.videos
        if axis in video.axes
    ]
    whole = sum(seconds for _, seconds in pairs)
    return sum(right for right, _ in pairs) / whole if whole else math.nan


def primitive_confusion(run: PrimitiveRun) -> dict[str, Counter[str]]:
    """Return for each labelled primitive how often each was answered, window by window; '' is no answer."""
    pairs = [
        pair
        for video in run.videos
        if video.window_words
        for pair in confusion_pairs(video.labelled.runs, video.windows, video.window_words)
    ]
    return window_confusion(pairs)


def primitive_measures(run: PrimitiveRun) -> dict[str, Estimate | float]:
    """Return the measures of a run on primitives, and what answers without vision score on the same videos."""
    subjects, videos = run.subjects, run.labelled
    found: dict[str, Estimate | float] = {
        name: mean_estimate(run.column(name), subjects)
        for name in (
            "edit_score",
            "action_error_rate",
            "relative_counting_error",
            "relative_counting_error_without_idle",
        )
    }
    near = [float(error <= WITHIN) for error in run.column("relative_counting_error")]
    found["within_25_percent"] = share_estimate(near, subjects)
    totals = axis_totals(run)
    for axis in AXES:
        counts = totals.get((axis, "middle", "masked"))
        found[f"{axis}_f1"] = counts.f1 if counts else math.nan
    always = constant(videos)
    blind = [sequence_scores(always[video.id], [r.primitive for r in video.runs]) for video in videos]
    found["transport_only_edit_score"] = _mean([score.edit_score for score in blind])
    found["transport_only_action_error_rate"] = _mean([score.action_error_rate for score in blind])
    found["transport_only_relative_counting_error"] = _mean(
        [score.relative_counting_error for score in blind]
    )
    found["mean_dose_relative_counting_error"] = _mean(list(dose_errors(videos, mean_dose(videos)).values()))
    found["mean_rate_relative_counting_error"] = _mean(list(dose_errors(videos, mean_rate(videos)).values()))
    replies = sum(video.replies for video in run.videos)
    found["invalid_rate"] = sum(video.invalid for video in run.videos) / replies if replies else math.nan
    found["several_rate"] = sum(video.several for video in run.videos) / replies if replies else math.nan
    found["videos"] = float(len(run.videos))
    found["videos_left_out"] = float(len(run.left_out))
    return found


@dataclass(frozen=True)
class IdentificationRun:
    """True and answered activities (``none`` for an answer that names none), and whose they are."""

    truth: list[str]
    answer: list[str]
    subjects: list[str]
    control: list[bool]
    severity: list[str]


def score_identification(records: Sequence[Record], profile: Profile = "fixed") -> IdentificationRun:
    """Return the activities that a run answered, one per video."""
    return IdentificationRun(
        [record["truth"] for record in records],
        [read_activity(reply_of(record, profile), ACTIVITIES, profile) or NONE for record in records],
        [record["subject"] for record in records],
        [record["group"] == "C" for record in records],
        [record["severity"] or "" for record in records],
    )


def identification_measures(run: IdentificationRun) -> dict[str, Estimate | float]:
    """Return the measures of a run on activities, and what answers without vision score."""
    right = [float(t == a) for t, a in zip(run.truth, run.answer, strict=True)]
    return {
        "accuracy": share_estimate(right, run.subjects),
        "macro_f1": macro_f1(run.truth, run.answer) if right else math.nan,
        "majority_accuracy": majority_accuracy(run.truth),
        "uniform_accuracy": 1 / len(ACTIVITIES),
        "invalid_rate": _mean([float(answer == NONE) for answer in run.answer]),
        "videos": float(len(right)),
    }


@dataclass(frozen=True)
class ImpairmentRun:
    """Answered and rated item scores by subject, how many replies could not be read, and who was left out.

    ``touched_again`` of ``touched`` windows of item 33 count a touch right after a window that counts one.
    """

    answers: dict[str, dict[int, Score]]
    truth: dict[str, dict[int, int]]
    invalid: int
    replies: int
    left_out: tuple[str, ...] = ()
    touched_again: int = 0
    touched: int = 0


def score_impairment(
    records: Sequence[Record], profile: Profile = "fixed", *, nose_only: bool = False, partial: bool = False
) -> ImpairmentRun:
    """Return the item scores of a run; a subject of whom questions are missing (``--limit``) is left out.

    Args:
        records: of one wording; ``rated`` holds a subject's scores on its first row of a task, ``subject_questions``
            how many questions on the subject the task has.
        profile: how replies are read.
        nose_only: time item 33 by touches of the nose alone.
        partial: score what there is of every subject.
    """
    asked = Counter((record["task"], record["subject"]) for record in records)
    whole = {(record["task"], record["subject"]): record["subject_questions"] for record in records}
    left_out = sorted({subject for (task, subject), count in asked.items() if count < whole[task, subject]})
    if not partial:
        records = [record for record in records if record["subject"] not in left_out]
    truth: dict[str, dict[int, int]] = {}
    grouped: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        if record["rated"]:
            pairs = (part.split(":") for part in record["rated"].split(";"))
            truth.setdefault(record["subject"], {}).update({int(item): int(score) for item, score in pairs})
        grouped[record["subject"], record["item"]].append(record)
    answers: dict[str, dict[int, Score]] = defaultdict(dict)
    invalid = again = touched = 0
    for (subject, item), rows in grouped.items():
        ordered = sorted(rows, key=lambda row: (row["order"], row["window"]))
        invalid += sum(_unreadable(row, profile) for row in ordered)
        score: Score = None
        if partial or _all_windows(ordered):
            score = _item_of(item, ordered, profile, nose_only)
        answers[subject][item] = score
        if item == TIMED:
            for side in "AH":
                twice, every = touched_again(_touches_of(side, ordered, profile) or ())
                again, touched = again + twice, touched + every
    for subject in answers:
        truth.setdefault(subject, {})
    told = () if partial else tuple(left_out)
    return ImpairmentRun(dict(answers), truth, invalid, len(records), told, again, touched)


def _all_windows(rows: Sequence[Record]) -> bool:
    parts: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for row in rows:
        parts[row["question_id"], row["laterality"]].append(row)
    whole = all(len({row["window"] for row in part}) == part[0]["windows"] for part in parts.values())
    return whole and len(parts) == rows[0]["questions"]


def _item_of(item: int, rows: Sequence[Record], profile: Profile, nose_only: bool) -> Score:
    if item == TIMED:
        times = []
        for side in "AH":
            windows = _touches_of(side, rows, profile)
            if windows is None:
                return None
            times.append(movement_time(windows, nose_only=nose_only))
        return time_score(*times)
    if item in RATED_WINDOW_BY_WINDOW:
        return windowed_score([reply_of(row, profile) for row in rows], profile)
    return item_score([(row["kind"], reply_of(row, profile)) for row in rows], profile)


def _touches_of(side: str, rows: Sequence[Record], profile: Profile) -> list[TouchWindow] | None:
    """Return the touches of one arm, window by window; None where knee and nose were not asked alike."""
    asked = {
        kind: [row for row in rows if (row["laterality"], row["kind"]) == (side, kind)] for kind in PLACES
    }
    if len(asked["knee"]) != len(asked["nose"]):
        return None
    knee, nose = ([reply_of(row, profile) for row in part] for part in asked.values())
    contact = rows[0]["prompt_id"] == CONTACT
    return touch_windows([row["end_s"] for row in asked["knee"]], knee, nose, profile, contact=contact)


def _unreadable(row: Record, profile: Profile) -> bool:
    if row["kind"] in PLACES:
        reply = reply_of(row, profile)
        contact = row["prompt_id"] == CONTACT
        return (read_yes_no(reply, profile) if contact else read_count(reply, profile)) is None
    return not answer_score(row["kind"], reply_of(row, profile), profile)[1]


def impairment_measures(run: ImpairmentRun) -> dict[str, Estimate | float]:
    """Return the measures of a run on Fugl-Meyer items, and what constants and other subjects' scores give."""
    subjects = list(run.truth)
    own = _named(impairment_scores(run.answers, run.truth))
    per_subject: dict[str, Callable[[ImpairmentScores], float]] = {
        "accuracy": lambda found: found.accuracy,
        "apd": lambda found: found.apd,
        "mtsd": lambda found: found.mtsd,
    }
    found: dict[str, Estimate | float] = dict(own)
    for name, pick in per_subject.items():
        values = [
            pick(impairment_scores({s: run.answers.get(s, {})}, {s: run.truth[s]}))
            for s in subjects
            if run.truth[s]
        ]
        found[name] = mean_estimate(values, [s for s in subjects if run.truth[s]])
    for score in (0, 1, 2):
        blind = impairment_scores(constant_scores(run.truth, score), run.truth)
        found |= {f"constant_{score}_{name}": getattr(blind, name) for name in per_subject}
    others = impairment_scores(other_subjects_mode(run.truth), run.truth)
    found |= {f"other_subjects_{name}": getattr(others, name) for name in per_subject}
    found["invalid_rate"] = run.invalid / run.replies if run.replies else math.nan
    found["subjects"] = float(len(subjects))
    found["subjects_left_out"] = float(len(run.left_out))
    return found


def _named(scores: ImpairmentScores) -> dict[str, float]:
    names = ("macro_accuracy", "kappa", "spearman", "r2", "missing", "size")
    return {name: float(getattr(scores, name)) for name in names}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan
