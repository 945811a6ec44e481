"""The environment is read in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semiology.settings import DATA, VARIABLES, WINDOW, Variable

ROOT = Path(__file__).resolve().parents[1]
READERS = {
    "settings.py": "the variables of Semiology",
    "judging/model_choice.py": "the variable that the user names with --api-key-variable",
    "privacy/addresses.py": "no_proxy, of every HTTP client",
    "privacy/model_hub.py": "HF_HUB_OFFLINE, of huggingface_hub",
    "privacy/socket_guard.py": "PYTHONPATH, of child processes",
    "privacy/staying_here.py": "switches of libraries that would call their makers",
    "privacy/remote_models.py": "addresses of lmms-eval's OpenAI and Azure classes",
    "enhancements/pipeline/jobs.py": "threads of numerical libraries, and RAY_USAGE_STATS_ENABLED of Ray",
    "backends/semiology_openai.py": "OPENAI_API_KEY, and the addresses that privacy/remote_models.py checks",
    "harness/class_source.py": "LMMS_EVAL_PLUGINS, of lmms-eval: names of classes that only it can tell",
    "reports/compare/commands.py": "COLUMNS, of the terminal",
}
OUTSIDE = {"tests", "benchmarks", "tools", "docs", "build", "setup.py"}


def source_files() -> list[Path]:
    files = [path.relative_to(ROOT) for path in ROOT.glob("**/*.py")]
    return [path for path in files if path.parts[0] not in OUTSIDE and not path.parts[0].startswith(".")]


def test_the_environment_is_read_where_a_reason_is_given() -> None:
    reading = {
        path.as_posix()
        for path in source_files()
        if re.search(r"os\.environ|getenv", (ROOT / path).read_text(encoding="utf-8"))
    }
    assert reading <= set(READERS), sorted(reading - set(READERS))


def test_every_variable_is_declared_and_told_to_the_user() -> None:
    declared = {each.name for each in VARIABLES}
    named = set()
    for path in source_files():
        named |= set(
            re.findall(
                r"\b(?:SEMIOLOGY|STROKEREHAB)_[A-Z0-9_]*[A-Z0-9]\b", (ROOT / path).read_text(encoding="utf-8")
            )
        )
    assert named == declared
    told = (ROOT / "README.md").read_text() + "".join(
        each.read_text() for each in sorted(ROOT.glob("docs/**/*.md"))
    )
    suffixes = {"SEMIOLOGY_SWEEP_FORMATS", "SEMIOLOGY_SWEEP_ENHANCEMENTS"}  # written as _FORMATS, …
    assert {name for name in declared - suffixes if name not in told} == {"SEMIOLOGY_ONLY"}


def test_a_variable_knows_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_WINDOW", " ")
    assert WINDOW.text() == "standard"
    WINDOW.suggest("qwen3")
    WINDOW.suggest("standard")
    assert WINDOW.text() == "qwen3"
    monkeypatch.setenv("SEMIOLOGY_DATA", "~/set")
    assert DATA.folder() == Path.home() / "set"
    assert str(DATA) == "SEMIOLOGY_DATA"
    monkeypatch.setenv("X", "a, b,,a")
    assert Variable("X", "").words() == ("a", "b")
    assert not Variable("X", "").is_on()
    monkeypatch.delenv("X")
    assert (Variable("X", "").folder(), Variable("X", "").words()) == (None, ())
