"""The 20 task files, the group and the vocabulary agree, and lmms-eval sees exactly them."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest
import yaml

from semiology.features import FEATURES
from semiology.harness.plugin import add_tasks
from semiology.prompts.library import load_library
from semiology.tasks import TASK_FOLDER

pytestmark = pytest.mark.usefixtures("one_task_index")

FILES = sorted((TASK_FOLDER / "features").glob("*.yaml"))


class _TagBlind(yaml.SafeLoader):
    """Reads ``!function`` as text."""


_TagBlind.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))


def test_there_is_one_short_file_for_each_feature() -> None:
    assert {path.stem for path in FILES} == set(FEATURES)
    assert all(len(path.read_text().splitlines()) < 15 for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_task_file_names_its_own_feature_everywhere(path: Path) -> None:
    config = yaml.load(path.read_text(), _TagBlind)
    assert config["task"] == f"semiology_{path.stem}"
    assert config["dataset_kwargs"] == f"semiology.tasks.documents.questions_about_{path.stem}"
    assert config["metadata"] == f"semiology.tasks.documents.description_of_{path.stem}"


def test_prompts_and_tasks_are_the_same_set() -> None:
    assert {feature.feature for feature in load_library().features} == {path.stem for path in FILES}


def test_the_glob_selects_the_20_tasks_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from lmms_eval.tasks import TaskManager

    add_tasks()
    monkeypatch.setenv("SEMIOLOGY_ONLY", "1")
    manager = TaskManager()
    selected = [name for name in manager.all_tasks if fnmatch.fnmatch(name, "semiology_*")]
    assert sorted(selected) == sorted(f"semiology_{feature}" for feature in FEATURES)
    assert manager.task_index["semiology"]["type"] == "group"


def test_adding_the_tasks_twice_wraps_once() -> None:
    from lmms_eval.tasks import TaskManager

    add_tasks()
    wrapped = TaskManager.initialize_tasks
    add_tasks()
    assert TaskManager.initialize_tasks is wrapped
