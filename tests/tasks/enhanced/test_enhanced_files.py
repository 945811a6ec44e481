"""The files of the enhanced tasks, their groups and the vocabulary agree."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest
import yaml

from semiology.enhancements.assignment import ENHANCEMENTS, SUBSTITUTES, features_of
from semiology.features import FEATURES_BY_GROUP
from semiology.harness.plugin import add_tasks, task_folder
from semiology.tasks.enhanced.task_list import GROUPS, TASKS, asked_tasks

pytestmark = pytest.mark.usefixtures("one_task_index")

FOLDER = task_folder() / "enhanced"


class _TagBlind(yaml.SafeLoader):
    """Reads ``!function`` as text."""


_TagBlind.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))


def read(path: Path) -> dict[str, object]:
    loaded = yaml.load(path.read_text(), _TagBlind)
    assert isinstance(loaded, dict)
    return loaded


def test_each_enhancement_has_the_features_of_the_study() -> None:
    assert features_of("pose") == FEATURES_BY_GROUP["limb_body"]
    assert features_of("crop") == FEATURES_BY_GROUP["facial"]
    assert features_of("denoise") == features_of("transcript") == FEATURES_BY_GROUP["audio"]
    assert set(SUBSTITUTES) == set(ENHANCEMENTS)
    assert len(TASKS) == 11 + 7 + 2 + 2


def test_there_is_one_short_file_for_each_task_and_group() -> None:
    tasks = {f"{task.enhancement}_{task.feature}" for task in TASKS.values()}
    files = {path.stem: path for path in FOLDER.glob("*.yaml")}
    assert set(files) == tasks | set(GROUPS)
    assert all(len(files[name].read_text().splitlines()) < 15 for name in tasks)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_file_names_its_own_task_everywhere(name: str) -> None:
    task = TASKS[name]
    config = read(FOLDER / f"{task.enhancement}_{task.feature}.yaml")
    documents = f"semiology.tasks.enhanced.documents.{task.enhancement}"
    assert config["task"] == name
    assert config["dataset_kwargs"] == f"{documents}_questions_about_{task.feature}"
    assert config["metadata"] == f"{documents}_description_of_{task.feature}"


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_lists_its_tasks_in_order(group: str) -> None:
    listed = [task.name for task in TASKS.values() if task.enhancement == GROUPS[group]]
    assert read(FOLDER / f"{group}.yaml")["task"] == listed


def test_lmms_eval_knows_them_and_its_glob_for_the_20_does_not_match_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lmms_eval.tasks import TaskManager

    add_tasks()
    monkeypatch.setenv("SEMIOLOGY_ONLY", "1")
    manager = TaskManager()
    assert {*TASKS, *GROUPS} <= set(manager.task_index)
    assert not fnmatch.filter([*TASKS, *GROUPS], "semiology_*")
    assert set(fnmatch.filter(manager.all_tasks, "pose_semiology_*")) == {
        name for name, task in TASKS.items() if task.enhancement == "pose"
    }


def test_a_group_stands_for_its_own_tasks_alone() -> None:
    asked = asked_tasks(["crop_semiology", "pose_semiology_tonic", "semiology_clonic"])
    assert [task.name for task in asked] == [
        "pose_semiology_tonic",
        *(f"crop_semiology_{feature}" for feature in FEATURES_BY_GROUP["facial"]),
    ]
