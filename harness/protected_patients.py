"""What a run is about to ask protected patients: told, and entered in the ledger before a model is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.data.protection.ledger import Look, digest, enter, protected_patients
from semiology.data.protection.trained_on import manifest_of_checkpoint, read_manifest, refuse_trained
from semiology.data.windows.clips import FORMS, WHOLE
from semiology.settings import (
    ONLY,
    S3_PROMPT,
    SWEEP_ENHANCEMENTS,
    SWEEP_FORMATS,
    SWEEP_PROMPTS,
    is_first_process,
)
from semiology.tasks.plan import current_plan
from semiology.tasks.settings import read_settings
from semiology.tasks.task_list import SWEEP_TASKS

CHECKPOINT_ARGUMENTS = ("pretrained", "model", "model_path", "peft")
"""Arguments of model classes that may name the folder of a checkpoint."""


def refuse_training_patients(model_args: Mapping[str, Any]) -> None:
    """Refuse to ask a checkpoint that carries a manifest of its training patients about any of them.

    Args:
        model_args: arguments of the model class, by name; those that may name a folder of this machine are looked at.

    Raises:
        TrainedOnError: says how many patients, and how to leave them out.
    """
    found = [
        manifest_of_checkpoint(model_args[name]) for name in CHECKPOINT_ARGUMENTS if model_args.get(name)
    ]
    for path in filter(None, found):
        manifest = read_manifest(path)
        recordings = current_plan(read_settings()).recording_set.recordings
        trained = manifest.recordings_of(recordings)
        refuse_trained(path, {each.patient_id for each in recordings if each.video_id in trained}, "this run")


def enter_asking(tasks: Sequence[str], model: str, model_args: str) -> list[str]:
    """Enter which protected patients are asked, and return what must be told of recordings kept back or opened.

    A sweep counts as a look at their scores, since its tables follow; a run does not, since its report enters its own.

    Args:
        tasks: our tasks that are asked. model, model_args: whom, as lmms-eval knows it.

    Raises:
        OSError: the ledger cannot be written.
    """
    settings = read_settings()
    plan = current_plan(settings)
    handed = plan.handed_out
    if handed is None or not is_first_process():
        return []
    told = handed.notes()
    recordings = plan.recording_set.recordings
    patients = protected_patients((each.split, each.patient_id) for each in recordings)
    if not patients:
        return told
    swept = any(name in SWEEP_TASKS for name in tasks)
    wordings = {
        "prompt": settings.prompt_id,
        **({"audio_segments": WHOLE} if settings.whole_sound else {}),
        **({"onset_clips": list(settings.onset_clips)} if settings.onset_clips != FORMS else {}),
        **({"answer_format": settings.answer_format} if settings.answer_format else {}),
        "s3_prompt": S3_PROMPT.text(),
        **(
            {
                "prompts": SWEEP_PROMPTS.text(),
                "formats": SWEEP_FORMATS.text(),
                "enhancements": SWEEP_ENHANCEMENTS.text(),
            }
            if swept
            else {}
        ),
    }
    chosen = {"model": model, "model_args": model_args, "split": settings.purpose, **wordings}
    asked = [
        [each.video_id, plan.recordings[each.video_id].media_stamp]
        for each in recordings
        if each.video_id in plan.recordings
    ]
    look = Look(
        "sweep" if swept else "run" if ONLY.is_on() else "lmms_eval",
        patients,
        chosen,
        digest([sorted(tasks), settings.window_name, sorted(asked)]),
    )
    looks = enter(settings.data, look)
    return [*told, *(each.sentence for each in looks if swept)]
