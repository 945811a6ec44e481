"""Samples as files: clips, one JSONL in the forms of ms-swift and TRL, and the manifest of whom they are about."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from semiology.data.cache import cache_directory, content_digest, private_folder, write_whole
from semiology.data.media.clips import clip
from semiology.data.media.probe import MediaError
from semiology.data.owned_folder import owned_folder
from semiology.data.protection.ledger import digest, patient_mark
from semiology.data.protection.splits import DEVELOP, HandedOut
from semiology.data.protection.trained_on import FORM, MANIFEST, form_mark
from semiology.data.same_patient import refuse_doubtful_patients
from semiology.optimization.training.sample_table import sample_table
from semiology.optimization.training.samples import TASKS, Sample, samples
from semiology.render.table import Table, paper_markdown, table_csv
from semiology.render.text import counted, json_text
from semiology.tasks.plan import Plan, make_plan
from semiology.tasks.settings import WINDOWS, Settings
from semiology.versions import installed_versions

Form = Literal["sft", "grpo"]
SWIFT, TRL, CLIPS = "ms_swift.jsonl", "trl.jsonl", "clips"
SAMPLES = "samples"
"""Files and folder of an export."""


@dataclass(frozen=True)
class ExportOptions:
    """What is exported.

    Attributes:
        form: ``sft`` (with answers) or ``grpo`` (with what a reward needs).
        data: folder of the recording set. tasks: numbers of `semiology.optimization.training.samples.TASKS`.
        fold: fold to leave out, as the test of a cross-validation; None for none.
        window: ``standard`` or ``qwen3``. distinct: look-alike ids are different people.
    """

    form: Form
    data: Path
    tasks: tuple[int, ...] = TASKS
    fold: str | None = None
    window: str = "standard"
    distinct: bool = False


@dataclass(frozen=True)
class Exported:
    """What was written: samples by task and as a table, what was left out by reason, recordings and patients."""

    folder: Path
    samples: Mapping[int, int]
    left_out: Mapping[str, int]
    recordings: int
    patients: int
    fold: str | None
    table: Table


def training_plan(options: ExportOptions) -> Plan:
    """Return the recordings to train on: of patients to develop on, without the fold that is left out.

    Raises:
        RecordingSetError: the set has faults, or patients who may be one person.
        ValueError: nobody may be trained on, or there is no such fold.
    """
    refuse_doubtful_patients(options.data, distinct=options.distinct)
    settings = Settings(options.data.resolve(), cache_directory(), "s3", options.window, DEVELOP)
    plan = make_plan(settings)
    if options.fold is None:
        return plan
    recordings = plan.recording_set.recordings
    folds = sorted({each.fold for each in recordings if each.fold})
    if options.fold not in folds:
        there = f"there are {', '.join(folds)}" if folds else "draw some: `semiology data folds DIR`"
        raise ValueError(f"--fold {options.fold}: no patient to develop on is in this fold → {there}")
    without = [each.video_id for each in recordings if not each.fold]
    if without:
        raise ValueError(
            f"recordings.csv: {counted(len(without), 'recording')} to develop on, such as {without[0]}, without a "
            "fold → give every patient one: `semiology data folds DIR --replace`"
        )
    kept = tuple(each for each in recordings if each.fold != options.fold)
    if not kept:
        raise ValueError(f"--fold {options.fold}: every recording is in this fold → leave another one out")
    videos = {each.video_id for each in kept}
    return replace(
        plan,
        recording_set=HandedOut(DEVELOP, kept, {}).narrow(plan.recording_set),
        recordings={v: each for v, each in plan.recordings.items() if v in videos},
        excluded={v: why for v, why in plan.excluded.items() if v in videos},
    )


def export(
    options: ExportOptions, out: Path, *, on_clip: Callable[[int, int], None] = lambda done, of: None
) -> Exported:
    """Write the samples of training patients into a folder; an interrupted export goes on where it stopped.

    The folder, its clips and its texts are for this user alone. Clips are cut once, and what cannot be cut costs the
    samples about it, which are counted. The manifest is written last: without it, the folder is unfinished.

    Args:
        options: what. out: the folder. on_clip: told the number of clips cut, and of all.

    Raises:
        RecordingSetError, ValueError: as for `training_plan`, or nothing can be a sample, or the folder holds another
            export.
        FolderError: the folder cannot be written, or another command writes there.
    """
    for task in options.tasks:
        if task not in TASKS:
            raise ValueError(
                f"--tasks {task}: there is no such task → use numbers from {TASKS[0]} to {TASKS[-1]}"
            )
    with owned_folder(out):
        return _export(options, out, on_clip)


def _export(options: ExportOptions, out: Path, on_clip: Callable[[int, int], None]) -> Exported:
    plan = training_plan(options)
    left_out: Counter[str] = Counter()
    found = list(samples(plan, options.tasks, window=options.window, left_out=left_out))
    if not found:
        raise ValueError(
            f"{options.data}: nothing in it can be a sample of task {', '.join(map(str, options.tasks))}"
            + "".join(f"; {reason}: {number}" for reason, number in left_out.items())
            + " → add annotations, or export other tasks"
        )
    private_folder(out)
    _refuse_other_export(out, plan, options)
    private_folder(out / CLIPS)
    clips = _cut(found, out / CLIPS, left_out, on_clip)
    kept = [(sample, clips[_key(sample)]) for sample in found if _key(sample) in clips]
    for name, line in ((SWIFT, swift_line), (TRL, trl_line)):
        text = "".join(json.dumps(line(s, file, options.form), ensure_ascii=False) + "\n" for s, file in kept)
        write_whole(out / name, text, private=True)
    table = sample_table([sample for sample, _ in kept])
    write_whole(out / f"{SAMPLES}.csv", table_csv(table), private=True)
    write_whole(out / f"{SAMPLES}.md", paper_markdown(table), private=True)
    told = _manifest(plan, options, kept, left_out, out)
    write_whole(out / MANIFEST, json_text(told) + "\n", private=True)
    counts = Counter(sample.task for sample, _ in kept)
    videos = {sample.recording.recording.video_id for sample, _ in kept}
    return Exported(out, counts, left_out, len(videos), len(told["patients"]), options.fold, table)


def swift_line(sample: Sample, file: str, form: Form) -> dict[str, Any]:
    """Return a sample in the form of ms-swift: messages, videos and, for rewards, further columns."""
    messages = [{"role": "user", "content": f"<video>{sample.question}"}]
    if form == "sft":
        messages.append({"role": "assistant", "content": sample.answer})
    return {"messages": messages, "videos": [file], **_columns(sample)}


def trl_line(sample: Sample, file: str, form: Form) -> dict[str, Any]:
    """Return a sample in TRL's conversational form, prompt and completion; the video is a part of the prompt."""
    parts = [{"type": "video", "video": file}, {"type": "text", "text": sample.question}]
    line: dict[str, Any] = {"prompt": [{"role": "user", "content": parts}], "fps": sample.fps}
    if form == "sft":
        line["completion"] = [{"role": "assistant", "content": [{"type": "text", "text": sample.answer}]}]
    return {**line, **_columns(sample)}


def _columns(sample: Sample) -> dict[str, Any]:
    solution = json.dumps(sample.solution, ensure_ascii=False)
    return {"task": sample.task, "feature": sample.feature, "solution": solution}


def _key(sample: Sample) -> tuple[str, float, float, float]:
    segment = sample.segment
    return sample.recording.recording.video_id, segment.start_s, segment.end_s, sample.fps


def _cut(
    found: Sequence[Sample], folder: Path, left_out: Counter[str], on_clip: Callable[[int, int], None]
) -> dict[tuple[str, float, float, float], str]:
    """Cut each clip once, film by film; return the clips' places relative to the export."""
    asked = {_key(sample): sample for sample in found}
    made: dict[tuple[str, float, float, float], str] = {}
    for number, (key, sample) in enumerate(sorted(asked.items(), key=lambda item: item[0])):
        on_clip(number, len(asked))
        segment = sample.segment
        try:
            cut = clip(
                sample.recording.recording.video, segment.start_s, segment.end_s, sample.fps,
                cache_directory() / "clips",
            )  # fmt: skip
        except MediaError:
            left_out["clips that could not be cut"] += 1
            continue
        # A name that tells nothing of patient and recording.
        name = f"{hashlib.sha256(cut.stem.encode()).hexdigest()[:20]}.mp4"
        if not (folder / name).exists():
            _place(cut, folder / name)
        made[key] = f"{CLIPS}/{name}"
    return made


def _place(cut: Path, target: Path) -> None:
    """Put a clip into the export: the same file where the folders share a disk, else a copy, whole or not at all."""
    try:
        os.link(cut, target)
    except OSError:
        unfinished = target.with_suffix(".part")
        shutil.copyfile(cut, unfinished)
        unfinished.chmod(0o600)
        unfinished.replace(target)


def _refuse_other_export(out: Path, plan: Plan, options: ExportOptions) -> None:
    file = out / MANIFEST
    if not file.exists():
        return
    try:
        known = json.loads(file.read_text(encoding="utf-8"))["recipe"]
    except (ValueError, KeyError, TypeError):
        known = None
    if known != _recipe(plan, options):
        raise ValueError(
            f"{out}: holds another export (other data, tasks, fold or form) → give a new folder, or remove this one"
        )


def _recipe(plan: Plan, options: ExportOptions) -> str:
    """Return a digest of what makes an export what it is."""
    stamps = {video: each.media_stamp for video, each in sorted(plan.recordings.items())}
    return digest([options.form, sorted(options.tasks), options.fold, options.window, stamps, _name(plan)])


def _name(plan: Plan) -> str:
    return f"{plan.recording_set.name} {plan.recording_set.version}".strip()


def _manifest(
    plan: Plan, options: ExportOptions, kept: Sequence[tuple[Sample, str]], left_out: Counter[str], out: Path
) -> dict[str, Any]:
    """Return whom the samples are about: all patients of the plan, also those of whom no sample is left."""
    cache = cache_directory()
    recordings = [each.recording for each in plan.recordings.values()]
    marks = sorted({patient_mark(each.patient_id) for each in recordings})
    films = [
        {
            "patient": patient_mark(each.patient_id),
            "fold": each.fold,
            "sha256": content_digest(each.video, cache),
        }
        for each in recordings
    ]
    return {
        "form": FORM,
        "kind": options.form,
        "recording_set": _name(plan),
        "simulated": plan.recording_set.metadata.get("simulated") is True,
        "purpose": DEVELOP,
        "fold_left_out": options.fold,
        "folds": sorted({each.fold for each in recordings if each.fold}),
        "window": WINDOWS[options.window].window_s,
        "tasks": sorted(options.tasks),
        "samples": {str(task): n for task, n in sorted(Counter(s.task for s, _ in kept).items())},
        "left_out": dict(sorted(left_out.items())),
        "patients": marks,
        "forms": {patient_mark(name): form_mark(name) for name in sorted({r.patient_id for r in recordings})},
        "distinct_patients": options.distinct,
        "films": sorted(films, key=lambda film: (str(film["patient"]), str(film["sha256"]))),
        "files": {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in (SWIFT, TRL)},
        "recipe": _recipe(plan, options),
        "packages": installed_versions(),
    }
