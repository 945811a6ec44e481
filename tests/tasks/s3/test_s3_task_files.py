"""The S3 task files: short, one per task, on one include; and the names that lmms-eval sees."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import get_args

import pytest
import yaml

from semiology.features import FEATURES
from semiology.harness.plugin import add_tasks
from semiology.tasks import TASK_FOLDER
from semiology.tasks.s3 import scores
from semiology.tasks.s3.task_list import MEASURES, TASKS, AnswerKind

pytestmark = pytest.mark.usefixtures("one_task_index")

FILES = sorted((TASK_FOLDER / "s3").glob("s3_*.yaml"))


class _TagBlind(yaml.SafeLoader):
    """Reads ``!function`` as text."""


_TagBlind.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))


def test_there_is_one_short_file_for_each_task() -> None:
    assert {path.stem for path in FILES} == set(TASKS)
    assert all(len(path.read_text().splitlines()) < 15 for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_task_file_names_its_own_task_everywhere(path: Path) -> None:
    config = yaml.load(path.read_text(), _TagBlind)
    assert config == {
        "include": "_s3",
        "task": path.stem,
        "dataset_kwargs": f"semiology.tasks.s3.documents.questions_of_{path.stem}",
        "metric_list": f"semiology.tasks.s3.scores.metrics_of_{TASKS[path.stem].answer}",
        "metadata": f"semiology.tasks.s3.documents.description_of_{path.stem}",
    }


def test_the_group_lists_every_task_once_in_order() -> None:
    group = yaml.load((TASK_FOLDER / "s3" / "s3.yaml").read_text(), _TagBlind)
    assert (group["group"], group["task"]) == ("s3", list(TASKS))


def test_the_globs_select_each_task_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from lmms_eval.tasks import TaskManager

    add_tasks()
    monkeypatch.setenv("SEMIOLOGY_ONLY", "1")
    manager = TaskManager()
    for pattern, tasks in (
        ("s3_*", TASKS),
        ("semiology_*", [f"semiology_{feature}" for feature in FEATURES]),
    ):
        assert sorted(fnmatch.filter(manager.all_tasks, pattern)) == sorted(tasks)
    assert manager.task_index["s3"]["type"] == "group"


def test_no_name_is_one_of_lmms_evals_own() -> None:
    import lmms_eval.tasks

    names = {"s3", *TASKS}
    folder = Path(lmms_eval.tasks.__file__).parent
    for path in folder.rglob("*.yaml"):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key in ("task", "group", "tag"):
                assert value.strip().strip("\"'") not in names, path


@pytest.mark.parametrize("kind", get_args(AnswerKind))
def test_every_kind_has_its_figures_after_the_record(kind: AnswerKind) -> None:
    listed = scores.metric_list(kind)
    assert [entry["metric"] for entry in listed] == ["s3", *MEASURES[kind]]
    assert "unparsed_rate" in MEASURES[kind]
    assert scores.__getattr__(f"metrics_of_{kind}") is not listed


def test_an_unknown_kind_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="metrics_of_essay"):
        scores.__getattr__("metrics_of_essay")
