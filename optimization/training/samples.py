"""Samples of the seven S3 tasks: which part of which recording, the question, and the answer that is right.

Source: arXiv 2605.21852, Appendix E. Tasks 1 to 3 show the annotated interval; task 4 a clip of 60 s in which the onset
lies anywhere; tasks 5 and 6 windows of 30 s with the answer cut to what the window shows; task 7 the whole recording.
What the paper leaves open is decided here:

- A feature that is absent has no interval. It is shown in one as long as an interval of that feature in another
  recording, at a place drawn by name: were it shown at length, the length alone would tell the answer.
- Sleep has no times: the first window is shown.
- A feature belongs to a window that its interval touches. On the published annotations this gives 1,962 of the 2,010
  published window sequences that can be compared.
- A sentence of a report belongs to a window unless all features that it names are timed and none touches the window.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semiology.data.recording_set import Annotation
from semiology.data.windows.sliding import Segment, unusable_reason
from semiology.features import (
    AUDIO_FEATURES,
    FEATURES,
    FIRST_SEGMENT_ONLY,
    THREE_CLASSES,
    TIMED_FEATURES,
    label_of,
)
from semiology.metrics.s3.text.report_rules import extract_findings
from semiology.prompts.library import render
from semiology.prompts.s3_library import fill
from semiology.tasks.documents import choose_prompt
from semiology.tasks.plan import Plan, RecordingPlan
from semiology.tasks.s3.documents import JUSTIFICATION_FORMAT, JUSTIFICATION_FORMAT_WITH_NA, prompt_of
from semiology.tasks.s3.targets import Protocols, protocols, targets

TASKS = (1, 2, 3, 4, 5, 6, 7)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_WORDS = {"yes": "yes", "no": "no", "na": "NA"}


@dataclass(frozen=True)
class Sample:
    """One video-question-answer triplet.

    Attributes:
        task: number of the S3 task. feature: what is asked about.
        recording: which one. segment: what is shown of it, s. fps: frames per s of the clip.
        question, answer: as the model reads and should write them.
        solution: what a reward compares a reply with (`semiology.optimization.training.rewards`).
    """

    task: int
    feature: str
    recording: RecordingPlan
    segment: Segment
    fps: float
    question: str
    answer: str
    solution: Mapping[str, Any]


def samples(plan: Plan, tasks: Sequence[int], *, window: str, left_out: Counter[str]) -> Iterator[Sample]:
    """Yield the samples of some tasks, task by task in the plan's order.

    Args:
        plan: of the recordings to train on.
        tasks: numbers of `TASKS`. window: as of a run; it decides frame rates.
        left_out: what cannot be a sample is counted here, by reason.

    Raises:
        RecordingSetError: ``laterality.csv`` has faults.
    """
    shown = protocols(window, ("random",))  # the answer to a centred clip is its middle
    for task in tasks:
        yield from _MAKERS[task](plan, shown, left_out)


def _recognition(plan: Plan, shown: Protocols, left_out: Counter[str]) -> Iterator[Sample]:
    for feature, annotation, segment in _seen(plan, shown, left_out):
        question = render(choose_prompt(feature, "s3"))
        answer = _WORDS[annotation.present]
        yield _sample(
            1, feature, plan, annotation, segment, shown, question, answer, {"answer": annotation.present}
        )


def _justification(plan: Plan, shown: Protocols, left_out: Counter[str]) -> Iterator[Sample]:
    for feature, annotation, segment in _seen(plan, shown, left_out):
        if not annotation.justification:
            left_out["task 2: annotations without a justification"] += 1
            continue
        form = JUSTIFICATION_FORMAT_WITH_NA if feature in THREE_CLASSES else JUSTIFICATION_FORMAT
        question = render(choose_prompt(feature, "s3"), form)
        told = {"answer": _WORDS[annotation.present], "justification": annotation.justification}
        solution = {"answer": annotation.present, "justification": annotation.justification}
        answer = json.dumps(told, ensure_ascii=False)
        yield _sample(2, feature, plan, annotation, segment, shown, question, answer, solution)


def _seen(plan: Plan, shown: Protocols, left_out: Counter[str]) -> Iterator[tuple[str, Annotation, Segment]]:
    """Yield what tasks 1 and 2 show of each annotated feature."""
    for feature in FEATURES:
        asked = [each for each in plan.recording_set.annotations_of(feature) if plan.is_asked(each)]
        lengths = sorted(
            each.offset_s - each.onset_s
            for each in asked
            if each.present == "yes" and each.onset_s is not None and each.offset_s is not None
        )
        for annotation in asked:
            recording = plan.recordings[annotation.video_id]
            segment = _interval(feature, annotation, recording, shown, lengths)
            if segment is None:
                left_out[f"{feature}: present without onset and offset"] += 1
            elif reason := unusable_reason(segment, recording.info):
                left_out[f"{feature}: {reason}"] += 1
            else:
                yield feature, annotation, segment


def _interval(
    feature: str, annotation: Annotation, recording: RecordingPlan, shown: Protocols, lengths: Sequence[float]
) -> Segment | None:
    duration = recording.info.duration_s
    if feature in FIRST_SEGMENT_ONLY:
        return recording.segments[0]
    onset, offset = annotation.onset_s, annotation.offset_s
    if onset is not None and offset is not None and onset < duration:
        return shown.event.segment(onset, max(onset, offset), duration)
    if annotation.present == "yes":
        return None
    if not lengths:
        return recording.segments[0]
    name = f"{annotation.video_id}/{feature}"
    length = min(lengths[int(_drawn(f"length/{name}") * len(lengths))], duration)
    start = _drawn(f"place/{name}") * (duration - length)
    return shown.event.segment(start, start + length, duration) if start < duration else None


def _drawn(name: str) -> float:
    """Return a number from 0 to below 1 by a name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") / 2**48


def _sample(
    task: int, feature: str, plan: Plan, annotation: Annotation, segment: Segment, shown: Protocols,
    question: str, answer: str, solution: Mapping[str, Any],
) -> Sample:  # fmt: skip
    recording = plan.recordings[annotation.video_id]
    # Features of a first window keep the window's frame rate: they are asked so.
    rate = plan.window.fps if feature in FIRST_SEGMENT_ONLY else shown.event.rate(segment)
    return Sample(task, feature, recording, segment, rate, question, answer, solution)


def _of_targets(
    task: int, names: Sequence[str], answer_of: Callable[[Any], str]
) -> Callable[..., Iterator[Sample]]:
    """Return the maker of a task whose questions are those that a run asks, clip by clip."""

    def made(plan: Plan, shown: Protocols, left_out: Counter[str]) -> Iterator[Sample]:
        for name in names:
            prompt = prompt_of(name)
            for target in targets(name, plan, shown):
                described = (prompt.descriptions or {}).get(target.feature, "")
                question = fill(prompt, {"description": described, "report": str(target.extra.get("report"))})
                clip, *_ = target.segments
                truth = {"answer": target.truth, "clip_s": round(clip.duration_s, 3)}
                fps = target.clip_fps or plan.window.fps
                yield Sample(
                    task,
                    target.feature,
                    target.recording,
                    clip,
                    fps,
                    question,
                    answer_of(target.truth),
                    truth,
                )

    return made


def _sequence(plan: Plan, shown: Protocols, left_out: Counter[str]) -> Iterator[Sample]:
    question = fill(prompt_of("s3_sequence"), {"description": "", "report": ""})
    for target in targets("s3_sequence", plan, shown):
        spans = _spans(plan, target.recording, TIMED_FEATURES)  # those that the question names
        for segment in target.segments:
            inside = {name: span[0] for name, span in spans.items() if _touches(span, segment)}
            order = sorted(inside, key=lambda name: inside[name])
            answer = (
                ", ".join("figure-4" if name == "figure4" else label_of(name) for name in order) or "none"
            )
            solution = {"answer": order, "onsets_s": [inside[name] for name in order]}
            fps = plan.window.fps
            yield Sample(5, "sequence", target.recording, segment, fps, question, answer, solution)


def _report(plan: Plan, shown: Protocols, left_out: Counter[str]) -> Iterator[Sample]:
    question = fill(prompt_of("s3_report"), {"description": "", "report": ""})
    for target in targets("s3_report", plan, shown):
        spans = _spans(plan, target.recording, (*TIMED_FEATURES, *AUDIO_FEATURES))
        for segment in target.segments:
            text = report_of_window(str(target.truth), spans, segment)
            if not text:
                left_out["task 6: windows of which the report says nothing"] += 1
                continue
            shown_here = [name for name, span in spans.items() if _touches(span, segment)]
            solution = {"report": text, "shown": shown_here or None}
            fps = plan.window.fps
            yield Sample(6, "report", target.recording, segment, fps, question, text, solution)


def report_of_window(report: str, spans: Mapping[str, tuple[float, float]], segment: Segment) -> str:
    """Return the sentences of a report that can be about a window.

    A sentence is left out if it names features, all of them have times, and none of these touches the window.

    Args:
        report: of the whole recording. spans: onset and offset in s by feature. segment: the window.
    """
    kept = []
    for sentence in _SENTENCE.split(report.strip()):
        named = extract_findings(sentence).features
        timed = [spans[name] for name in named if name in spans]
        if not named or len(timed) < len(named) or any(_touches(span, segment) for span in timed):
            kept.append(sentence)
    return " ".join(kept).strip()


def _spans(plan: Plan, recording: RecordingPlan, features: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return onset and offset of the features that are present with an onset; without an offset it is the onset."""
    found = {}
    for feature in features:
        each = plan.recording_set.annotation(recording.recording.video_id, feature)
        if each is not None and each.present == "yes" and each.onset_s is not None:
            found[feature] = (each.onset_s, each.onset_s if each.offset_s is None else each.offset_s)
    return found


def _touches(span: tuple[float, float], segment: Segment) -> bool:
    return span[0] < segment.end_s and span[1] >= segment.start_s


def _timestamp(truth: float) -> str:
    whole = round(truth)
    return json.dumps({"timestamp": f"{whole // 60:02d}:{whole % 60:02d}"})


def _diagnosis(plan: Plan, shown: Protocols, left_out: Counter[str]) -> Iterator[Sample]:
    """Yield task 7; the description that the question asks for is the report, where the set has one."""
    for sample in _of_targets(7, ("s3_diagnosis",), str)(plan, shown, left_out):
        report = plan.recording_set.reports.get(sample.recording.recording.video_id, "")
        told = {"description": report, "answer": sample.answer}
        yield Sample(**{**vars(sample), "answer": json.dumps(told, ensure_ascii=False)})


_MAKERS: Mapping[int, Callable[..., Iterator[Sample]]] = {
    1: _recognition,
    2: _justification,
    3: _of_targets(3, ("s3_head_turning_side", "s3_arm_movement_side", "s3_onset_region"), str),
    4: _of_targets(4, ("s3_onset_time", "s3_seizure_start", "s3_seizure_end"), _timestamp),
    5: _sequence,
    6: _report,
    7: _diagnosis,
}
