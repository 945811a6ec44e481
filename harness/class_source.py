"""What lmms-eval's model classes are called and which arguments they take, read from their source.

Importing a class brings torch with it, which takes many seconds; a misspelt name is told before that.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

OWN_CLASSES = {
    "semiology_constant": "semiology.backends.constant.ConstantAnswer",
    "semiology_jsonl": "semiology.backends.jsonl.model.SemiologyJsonl",
    "semiology_hf": "semiology.backends.semiology_hf.SemiologyHF",
    "semiology_openai": "semiology.backends.semiology_openai.SemiologyOpenAI",
    "semiology_supervised": "semiology.backends.supervised.model.Supervised",
    "semiology_state_machine": "semiology.harness.state_machine.model.StateMachine",
    "semiology_qwen2_audio": "semiology.backends.qwen2_audio_cpu.Qwen2AudioOnCpu",
}
"""The classes of this package by their name in lmms-eval."""
SIMPLE_CLASSES = frozenset({"semiology_qwen2_audio"})
"""Those that take lmms-eval's older form of a request; the others are chat models."""
_PLUGIN_GROUP = "lmms_eval.models"
_PLUGIN_VARIABLE = "LMMS_EVAL_PLUGINS"


@dataclass(frozen=True)
class Arguments:
    """The arguments of a class; ``open`` if it also takes others, which it hands on or forgets."""

    names: tuple[str, ...]
    open: bool


def known_classes() -> tuple[dict[str, str], bool]:
    """Return the path of every class by its name and aliases, and whether further packages may add others."""
    tables = _literals(_source("lmms_eval.models"))
    found = {
        name: cls if "." in cls else f"lmms_eval.models.{kind}.{name}.{cls}"
        for kind, table in (("simple", "AVAILABLE_SIMPLE_MODELS"), ("chat", "AVAILABLE_CHAT_TEMPLATE_MODELS"))
        for name, cls in tables.get(table, {}).items()
    }
    for name, aliases in tables.get("MODEL_ALIASES", {}).items():
        found |= dict.fromkeys(aliases, found[name])
    plugins = [each for each in entry_points(group=_PLUGIN_GROUP) if not each.value.startswith("semiology.")]
    return found | OWN_CLASSES, bool(plugins or os.environ.get(_PLUGIN_VARIABLE) or not tables)


def arguments_of(class_path: str) -> Arguments | None:
    """Return the arguments of a class with a dotted path; None where its source does not tell them."""
    module, _, name = class_path.rpartition(".")
    source = _source(module)
    tree = _tree(source) if source else None
    if tree is None:
        return None
    cls = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)
    if cls is None:
        return None
    init = next((n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
    if init is not None and init.args.kwarg is None:
        return Arguments(_names(init), False)
    if init is not None and _refuses_others(init, init.args.kwarg.arg if init.args.kwarg else ""):
        return Arguments(_names(init), False)
    inherited = [arguments_of(path) for path in _bases(cls, tree, module)]
    known = [each for each in inherited if each is not None]
    if init is None:
        return known[0] if known else None
    return Arguments((*_names(init), *(name for each in known for name in each.names)), True)


def _names(init: ast.FunctionDef) -> tuple[str, ...]:
    return tuple(each.arg for each in (*init.args.args[1:], *init.args.kwonlyargs))


def _refuses_others(init: ast.FunctionDef, catch_all: str) -> bool:
    """Return whether the class asserts that nothing beside its named arguments is given."""
    return any(
        isinstance(node, ast.Assert) and f"{catch_all} == {{}}" in ast.unparse(node.test)
        for node in ast.walk(init)
    )


def _bases(cls: ast.ClassDef, tree: ast.Module, module: str) -> Iterator[str]:
    """Yield the dotted paths of the classes from which one is made, as far as the imports of its file tell."""
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module
        for alias in node.names
    }
    own = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.ClassDef)}
    for base in cls.bases:
        if isinstance(base, ast.Name) and (path := own.get(base.id) or imported.get(base.id)):
            yield path


def _source(module: str) -> Path | None:
    """Return the file of a module without importing it or the packages around it, except the outermost."""
    root, *parts = module.split(".")
    spec = find_spec(root)
    for folder in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
        path = folder.joinpath(*parts)
        for file in (path.with_suffix(".py") if parts else path / "__init__.py", path / "__init__.py"):
            if file.is_file():
                return file
    return None


@lru_cache(maxsize=32)
def _tree(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None


def _literals(file: Path | None) -> dict[str, dict[str, str]]:
    """Return the dictionaries that a file writes out at its top level, by name."""
    tree = _tree(file) if file else None
    found: dict[str, dict[str, str]] = {}
    for node in tree.body if tree else ():
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Dict):
            found[target.id] = ast.literal_eval(value)
    return found
