"""The rooms of the house: imports point down a layer or stay in the room; no two files need each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS: tuple[tuple[str, ...], ...] = (
    ("__init__", "cli"),
    ("optimization",),
    ("judging",),
    ("harness",),
    ("tasks",),
    ("enhancements", "backends", "reports"),
    ("data", "prompts", "metrics"),
    ("render", "privacy", "features", "strokerehab", "versions"),
    ("settings",),
)
"""From the roof to the ground. Rooms of one layer do not know each other."""
HEIGHT = {room: len(LAYERS) - number for number, rooms in enumerate(LAYERS) for room in rooms}
OUTSIDE = {"tests", "benchmarks", "tools", "docs", "setup", "build", "examples", "semiology_torchvision"}
WIDEST_FOLDER = 20
READERS = {
    "semiology": "for programs, which choose themselves",
    "semiology.data.check": "checks tables and media, and shows them to nobody",
    "semiology.data.digests": "writes the column sha256, and shows films to nobody",
    "semiology.data.deidentify.audit": "looks for traces of identity, and at nothing that a model sees or says",
    "semiology.data.deidentify.deidentify": "copies a set",
    "semiology.data.same_patient": "compares ids and bytes of films, and shows them to nobody",
    "semiology.enhancements.enhance": "hands out",
    "semiology.enhancements.preview": "hands out, by enhance",
    "semiology.optimization.folds.commands": "hands out, by draw",
    "semiology.optimization.folds.tables": "writes the column fold",
    "semiology.reports.agreement.distributions": "diagnoses, by which labels that are given to it are grouped",
    "semiology.reports.dataset.commands": "draws lengths and labels, and nothing that a model says",
    "semiology.reports.dataset.demographics": "who was recorded, and nothing that a model says",
    "semiology.reports.page.recordings": "times and lengths of recordings whose answers were handed out",
    "semiology.reports.protected": "hands out",
    "semiology.reports.review.commands": "videos of cases that a run was asked about",
    "semiology.tasks.plan": "hands out",
    "semiology.data.fixing": "corrects cells of tables, and shows what was changed",
    "semiology.data.sheets.writing": "it adds the annotations to recordings that have none",
}
"""Who reads a recording set whole, and why: anyone else goes through `semiology.data.protection.splits.hand_out`."""


def source_files() -> list[Path]:
    files = [*ROOT.glob("*.py"), *ROOT.glob("*/**/*.py")]
    return sorted(
        path
        for path in files
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        and path.relative_to(ROOT).parts[0].removesuffix(".py") not in OUTSIDE
    )


def name_of(path: Path) -> str:
    parts = ("semiology", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in source_files()}


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules of ours that a file imports, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else node.module for name in whole]
        else:
            continue
        yield from (name for name in names if name in MODULES)


GRAPH = {name: set(imports_of(path)) - {name} for name, path in MODULES.items()}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def test_every_module_stands_in_a_layer() -> None:
    assert {room_of(module) for module in MODULES} <= set(HEIGHT)
    assert len(MODULES) > 200


def test_imports_point_down() -> None:
    upward = [
        f"{module} imports {other}"
        for module, others in sorted(GRAPH.items())
        for other in sorted(others)
        if room_of(module) != room_of(other) and HEIGHT[room_of(module)] <= HEIGHT[room_of(other)]
    ]
    assert not upward, "\n".join(upward)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of nodes that reach each other (Tarjan's strongly connected components)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    names = sorted(graph)
    number = {name: index for index, name in enumerate(names)}
    edges = [(number[name], number[other]) for name in names for other in graph[name]]
    rows, columns = zip(*edges, strict=True)
    matrix = csr_array(([1] * len(edges), (rows, columns)), shape=(len(names), len(names)))
    _, labels = connected_components(matrix, directed=True, connection="strong")
    groups: dict[int, list[str]] = {}
    for name, label in zip(names, labels, strict=True):
        groups.setdefault(int(label), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def test_no_two_files_need_each_other() -> None:
    assert circles({"a": {"b"}, "b": {"a"}, "c": {"a"}}) == [["a", "b"]]
    packages = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    graph = {name: others - packages for name, others in GRAPH.items() if name not in packages}
    assert circles(graph) == []


@pytest.mark.parametrize("room", sorted({path.parent for path in source_files()}), ids=lambda path: path.name)
def test_a_folder_can_be_read_at_a_glance(room: Path) -> None:
    assert len(list(room.glob("*.py"))) <= WIDEST_FOLDER


def test_recordings_are_had_through_the_door_that_protects_patients() -> None:
    readers = {
        name
        for name, path in MODULES.items()
        if name != "semiology.data.tables.reading"
        and re.search(r"\b(read_recording_set|read_folder)\(", path.read_text(encoding="utf-8"))
    }
    assert readers == set(READERS), (
        "a recording set is read whole elsewhere → let `hand_out` choose the recordings for the purpose"
    )
