"""The generated task files: groups, enhanced tasks and sweeps, as the features and the steps have them."""

from __future__ import annotations

import fnmatch
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from semiology.enhancements.registry import features_of
from semiology.features import FEATURES, FEATURES_BY_GROUP
from semiology.harness.plugin import add_tasks
from semiology.tasks import TASK_FOLDER
from semiology.tasks.generated import generated_folder, missing_task_files, task_files
from semiology.tasks.task_list import (
    ENHANCED_GROUPS,
    ENHANCED_TASKS,
    PLAIN_TASKS,
    SWEEP_TASKS,
    TASKS,
    asked_enhanced,
)

pytestmark = pytest.mark.usefixtures("one_task_index")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEMIOLOGY_ONLY", "1")
    return tmp_path / "cache"


class _TagBlind(yaml.SafeLoader):
    """Reads ``!function`` as text."""


_TagBlind.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))


def read(name: str) -> dict[str, Any]:
    loaded = yaml.load(task_files()[f"{name}.yaml"], _TagBlind)
    assert isinstance(loaded, dict)
    return loaded


def test_each_enhancement_has_the_features_of_the_study() -> None:
    assert features_of("pose") == FEATURES_BY_GROUP["limb_body"]
    assert features_of("crop") == FEATURES_BY_GROUP["facial"]
    assert features_of("denoise") == features_of("transcript") == FEATURES_BY_GROUP["audio"]
    assert len(PLAIN_TASKS) == len(SWEEP_TASKS) == len(FEATURES)


def test_there_is_one_file_for_each_task_and_group() -> None:
    names = {"semiology", *ENHANCED_GROUPS, *ENHANCED_TASKS, *SWEEP_TASKS}
    assert set(task_files()) == {f"{name}.yaml" for name in names}
    assert missing_task_files() == []


@pytest.mark.parametrize("name", [*ENHANCED_TASKS, *SWEEP_TASKS])
def test_a_task_file_names_its_own_task_everywhere(name: str) -> None:
    base = "sweep/_sweep" if name in SWEEP_TASKS else "_semiology"
    assert read(name) == {
        "include": str(TASK_FOLDER / base),
        "task": name,
        "dataset_kwargs": f"semiology.tasks.documents.questions_about_{name}",
        "metadata": f"semiology.tasks.documents.description_of_{name}",
    }


def test_a_group_lists_its_tasks_in_order() -> None:
    assert read("semiology")["task"] == [f"semiology_{feature}" for feature in FEATURES]
    for group, enhancement in ENHANCED_GROUPS.items():
        assert read(group)["task"] == [f"{group}_{feature}" for feature in features_of(enhancement)]


def test_lmms_eval_knows_them_and_its_globs_select_what_they_say() -> None:
    from lmms_eval.tasks import TaskManager

    add_tasks()
    manager = TaskManager()
    assert {"semiology", *TASKS, *ENHANCED_GROUPS} <= set(manager.task_index)
    for pattern, tasks in (("semiology_*", PLAIN_TASKS), ("sweep_semiology_*", SWEEP_TASKS)):
        assert sorted(fnmatch.filter(manager.all_tasks, pattern)) == sorted(tasks)
    assert set(fnmatch.filter(manager.all_tasks, "pose_semiology_*")) == {
        name for name, task in ENHANCED_TASKS.items() if task.enhancement == "pose"
    }
    group = manager._get_config("semiology")
    assert group["task"] == list(PLAIN_TASKS)
    assert [each["metric"] for each in group["aggregate_metric_list"]] == [
        "f1,none",
        "balanced_accuracy,none",
        "unparsed_rate,none",
    ]


def test_a_group_stands_for_its_own_tasks_alone() -> None:
    asked = asked_enhanced(["crop_semiology", "pose_semiology_tonic", "semiology_clonic"])
    assert [task.name for task in asked] == [
        "pose_semiology_tonic",
        *(f"crop_semiology_{feature}" for feature in FEATURES_BY_GROUP["facial"]),
    ]


def test_many_at_once_write_the_same_whole_files(own_cache: Path) -> None:
    code = "from semiology.tasks.generated import generated_folder; print(generated_folder())"
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(
                lambda _: subprocess.run(
                    [sys.executable, "-c", code], capture_output=True, text=True, check=True
                ).stdout.strip(),
                range(4),
            )
        )
    assert len(set(found)) == 1
    folder = Path(found[0])
    assert own_cache in folder.parents
    assert {path.name: path.read_text() for path in folder.iterdir()} == task_files()


def test_a_damaged_file_is_written_anew_and_a_cache_that_cannot_be_written_is_done_without(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = generated_folder()
    (folder / "semiology.yaml").write_text("task: nothing")
    assert generated_folder() == folder
    assert (folder / "semiology.yaml").read_text() == task_files()["semiology.yaml"]
    (own_cache / "a_file").touch()
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(own_cache / "a_file"))
    elsewhere = generated_folder()
    assert own_cache not in elsewhere.parents
    assert (elsewhere / "semiology.yaml").is_file()
