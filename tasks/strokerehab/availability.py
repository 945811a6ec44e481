"""Which stroke-rehabilitation tasks a study allows, found out before a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from semiology.data.problems import SettingsError
from semiology.tasks.strokerehab.documents import build_documents, nothing_to_ask
from semiology.tasks.strokerehab.settings import read_rehab_settings
from semiology.tasks.strokerehab.targets import study_plan


def check_rehab_tasks(tasks: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return which of the tasks cannot be asked, with what is missing, and remarks on the study.

    Raises:
        SettingsError: no study is chosen, a choice is not understood, or a subject stands in both splits.
    """
    settings = read_rehab_settings()
    if overlapping := study_plan(settings).study.overlapping:
        raise SettingsError(
            f"subjects.csv: {', '.join(overlapping)} stand in both splits; who served to tune a prompt cannot test it: "
            "keep one row for each"
        )
    missing = {task: nothing_to_ask(task, settings) for task in tasks if not build_documents(task, settings)}
    study = study_plan(settings).study
    remarks = [str(problem) for problem in study.problems[:5]]
    if len(study.problems) > len(remarks):
        more = len(study.problems) - len(remarks)
        remarks.append(f"{more} more problems; `semiology data check {settings.root}` lists them all")
    return missing, remarks
