"""The task files that follow from the features and the enhancement steps: groups, enhanced tasks and sweeps.

lmms-eval reads tasks from files, so these are written into the cache, into a folder named by their content;
`semiology.harness.plugin` adds it to lmms-eval's index. Written by hand are ``tasks/features/<feature>.yaml`` and
the S3 tasks.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from functools import lru_cache
from pathlib import Path

from semiology.data.cache import cache_directory, private_folder, write_whole
from semiology.data.problems import SettingsError
from semiology.features import FEATURES
from semiology.tasks import TASK_FOLDER
from semiology.tasks.task_list import (
    ENHANCED_GROUPS,
    ENHANCED_TASKS,
    GROUP,
    PLAIN_TASKS,
    SWEEP_TASKS,
)


def task_files() -> dict[str, str]:
    """Return the text of every generated file by name."""
    shared = {name: json.dumps(str(TASK_FOLDER / name)) for name in ("_group", "_semiology", "sweep/_sweep")}
    groups = {GROUP: list(PLAIN_TASKS)}
    for group, enhancement in ENHANCED_GROUPS.items():
        groups[group] = [task.name for task in ENHANCED_TASKS.values() if task.enhancement == enhancement]
    files = {
        f"{group}.yaml": "\n".join(
            [
                f"include: {shared['_group']}",
                f"group: {group}",
                "task:",
                *(f"  - {name}" for name in names),
                "",
            ]
        )
        for group, names in groups.items()
    }
    for name, task in (ENHANCED_TASKS | SWEEP_TASKS).items():
        files[f"{name}.yaml"] = (
            f"include: {shared['sweep/_sweep' if task.sweep else '_semiology']}\n"
            f"task: {name}\n"
            f"dataset_kwargs: !function semiology.tasks.documents.questions_about_{name}\n"
            f"metadata: !function semiology.tasks.documents.description_of_{name}\n"
        )
    return files


def generated_folder() -> Path:
    """Write the generated files, unless they are there, and return their folder.

    Several processes may do so at once: each file appears whole, and under this content only. Where the cache
    cannot be written, a folder of this process takes its place.
    """
    files = task_files()
    name = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]
    try:
        return _written(cache_directory() / "tasks" / name, files)
    except (OSError, SettingsError):
        return _written(Path(_own_folder().name), files)


def _written(folder: Path, files: dict[str, str]) -> Path:
    private_folder(folder)
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text, private=True)
    return folder


@lru_cache(maxsize=1)
def _own_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="semiology-tasks-")  # removed when the process ends


def missing_task_files() -> list[str]:
    """Return a sentence for each feature without a task file, and for each task file without a feature."""
    names = {path.stem for path in (TASK_FOLDER / "features").glob("*.yaml")}
    faults = [(name, "is missing → copy a neighbour") for name in FEATURES if name not in names]
    foreign = sorted(names - set(FEATURES))
    faults += [(name, "is about no feature → add a record to features.py") for name in foreign]
    return [f"tasks/features/{name}.yaml {fault}" for name, fault in faults]
