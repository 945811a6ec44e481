from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from semiology.prompts.commands import app
from semiology.prompts.library import load_library, prompt_hash, render

runner = CliRunner()


@pytest.fixture(autouse=True)
def no_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMIOLOGY_PROMPTS", raising=False)


def test_list_names_every_wording_with_its_hash() -> None:
    result = runner.invoke(app, ["list"])
    assert result.exit_code == 0
    for prompt in load_library():
        line = next(
            line for line in result.output.splitlines() if line.split()[:2] == [prompt.feature, prompt.id]
        )
        assert prompt_hash(render(prompt))[:8] in line


def test_list_of_one_feature_as_json_is_for_programs() -> None:
    rows = json.loads(runner.invoke(app, ["list", "--feature", "tonic", "--json"]).output)
    assert {row["feature"] for row in rows} == {"tonic"}
    assert [row["sha256"] for row in rows] == [prompt_hash(row["text"]) for row in rows]


def test_show_prints_the_exact_text_and_its_source() -> None:
    result = runner.invoke(app, ["show", "ictal_vocalization"])
    text = render(load_library().feature("ictal_vocalization").reference)
    assert result.output.splitlines()[0] == text
    assert prompt_hash(text) in result.output
    assert "arXiv 2605.21852, Table 8" in result.output


def test_show_takes_another_answer_format() -> None:
    row = json.loads(
        runner.invoke(app, ["show", "tonic", "minimal", "--answer-format", "yes_no_json", "--json"]).output
    )
    assert row["text"] == render(load_library().feature("tonic").prompt("minimal"), "yes_no_json")
    assert row["bytes"] == len(row["text"].encode())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "tonik"], "did you mean"),
        (["list", "--feature", "tonik"], "did you mean"),
        (["show", "tonic", "expert"], "no wording"),
        (["show", "tonic", "s3", "--answer-format", "xml"], "unknown answer format"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_right_ones(arguments: list[str], told: str) -> None:
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


def test_the_commands_load_no_model_library() -> None:
    code = (
        "import sys, semiology.prompts.commands as c, semiology.prompts.library as p; p.load_library();"
        "print([m for m in ('torch', 'transformers', 'pandas', 'lmms_eval') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
